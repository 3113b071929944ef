"""segdemo.features.timelapse and readout: early answers are the networks' own, probes are fitted as the formula says."""

from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segdemo.data.preprocessing import to_input
from segdemo.data.shapes import draw_shapes
from segdemo.features.placement import Rect, placements
from segdemo.features.readout import STRENGTHS, linear_readout, ridge
from segdemo.features.record import record
from segdemo.features.timelapse import Frame, frames
from segdemo.models import create_model
from segdemo.weights import list_weights, load_model

pytestmark = pytest.mark.usefixtures("one_thread")

BUNDLED = {entry.weights_id: entry for entry in list_weights() if entry.bundled}


def network(name: str, **options: Any) -> nn.Module:
    torch.manual_seed(0)
    return create_model(name, **{"num_classes": 3, "width": 4, **options}).eval()


def summary(found: list[Frame]) -> list[tuple[str, str]]:
    return [(frame.name, frame.how) for frame in found]


@dataclass(frozen=True)
class Kept:
    maps: dict[str, Tensor]
    logits: Tensor


@torch.no_grad()
def recorded(model: nn.Module, image: Tensor) -> Kept:
    return Kept({name: output[0] for name, output in record(model, image).items()}, model(image)[0])


# All networks


@pytest.mark.parametrize("weights_id", BUNDLED)
def test_the_last_frame_is_the_networks_own_answer(weights_id: str) -> None:
    entry = BUNDLED[weights_id]
    model = load_model(entry).eval()
    scene, _mask = draw_shapes(64, 96, seed=3)
    image, _geometry = to_input(scene, entry.preprocessing)
    with torch.no_grad():
        logits = model(image)[0]
    expected = logits.softmax(0) if len(logits) > 1 else torch.cat([1 - logits.sigmoid(), logits.sigmoid()])
    found = frames(model, image)
    assert torch.equal(found[-1].probabilities, expected) and found[-1].how == "head"
    assert len(found) > 1 and len({frame.name for frame in found}) == len(found)
    stages = {stage.name for stage in model.stages()}  # type: ignore[operator]
    for frame in found:
        assert frame.probabilities.shape == expected.shape and frame.probabilities.dtype == torch.float32
        assert frame.stage in stages
        assert (frame.explained is not None) == (frame.how == "readout")
        torch.testing.assert_close(frame.probabilities.sum(dim=0), torch.ones(expected.shape[1:]))
    assert not any(module._forward_hooks for module in model.modules())


@pytest.mark.parametrize("name", ["unet/shapes", "segnet/shapes", "encoder_decoder/shapes", "fcn8s/shapes", "nnunet/shapes"])
def test_the_frames_grow_sharp(name: str) -> None:
    """The last but one agrees with the answer better than the first."""
    entry = BUNDLED[name]
    scene, _mask = draw_shapes(128, 128, seed=3)
    labels = [
        frame.probabilities.argmax(0) for frame in frames(load_model(entry).eval(), to_input(scene, entry.preprocessing)[0])
    ]
    agreement = [(label == labels[-1]).float().mean().item() for label in labels]
    assert agreement[-2] > agreement[0] and agreement[-2] > 0.85


def test_a_network_that_says_one_thing_of_a_picture_has_one_frame() -> None:
    found = frames(network("mnist_cnn"), torch.rand(1, 3, 28, 28))
    assert summary(found) == [("head", "head")] and found[0].probabilities.shape == (3, 1, 1)


def test_with_a_recording_nothing_runs_again(monkeypatch: pytest.MonkeyPatch) -> None:
    model, image = network("unet", depth=2), torch.rand(1, 3, 32, 32)
    recording, expected = recorded(model, image), frames(model, image)
    monkeypatch.setattr(model, "forward", None)
    found = frames(model, image, recording)
    assert summary(found) == [("bottleneck", "readout"), ("decoder2", "readout"), ("decoder1", "head")] == summary(expected)
    for a, b in zip(found, expected, strict=True):
        assert torch.equal(a.probabilities, b.probabilities)


# Networks that answer early


def test_fcn_sums_its_scores() -> None:
    """32s, 16s and 8s: the finer scores replaced by their mean, here from outside, where a score comes out of its layer."""
    model, image = network("fcn8s", padding="same", classifier_width=8), torch.rand(1, 3, 96, 128)
    for parameter in model.parameters():
        parameter.data.mul_(3)
    found = frames(model, image)
    assert summary(found) == [("32s", "score"), ("16s", "score"), ("8s", "head")]
    assert [frame.stage for frame in found] == ["decoder3", "decoder2", "decoder1"]

    def flat(_module: nn.Module, _inputs: object, scores: Tensor) -> Tensor:
        return scores.mean(dim=(2, 3), keepdim=True).expand_as(scores)

    assert not torch.equal(found[0].probabilities, found[1].probabilities)
    for frame, flattened in ((found[1], [2]), (found[0], [1, 2])):
        handles = [model.decoder[i].score.register_forward_hook(flat) for i in flattened]  # type: ignore[index, union-attr, operator]
        with torch.no_grad():
            torch.testing.assert_close(frame.probabilities, model(image)[0].softmax(0))
        for handle in handles:
            handle.remove()


@pytest.mark.parametrize(("name", "strides"), [("fcn16s", [32, 16]), ("fcn8s", [32, 16, 8]), ("fcn32s", [32])])
@pytest.mark.parametrize("padding", ["same", "paper"])
def test_fcn_scores_end_with_the_logits(name: str, strides: list[int], padding: str) -> None:
    model, image = network(name, padding=padding, classifier_width=8), torch.rand(1, 3, 64, 80)
    with torch.no_grad():
        scores = model.scores(image)  # type: ignore[operator]
        assert list(scores) == strides
        assert all(s.shape == (1, 3, 64, 80) for s in scores.values())
        assert torch.equal(scores[strides[-1]], model(image))


def test_fcn_that_scores_once_is_read_out() -> None:
    found = frames(network("fcn32s", padding="same", classifier_width=8), torch.rand(1, 3, 64, 64))
    assert summary(found) == [("bottleneck", "readout"), ("decoder1", "readout"), ("head", "head")]


def test_unet_plus_plus_is_cut_after_each_head() -> None:
    model, image = network("unet_plus_plus", deep_supervision=True), torch.rand(1, 3, 64, 48)
    found = frames(model, image)
    assert summary(found) == [(f"L{level}", "head") for level in (1, 2, 3, 4)]
    assert [frame.stage for frame in found] == ["x0_1", "x0_2", "x0_3", "decoder1"]
    for level, frame in enumerate(found, start=1):
        pruned = network("unet_plus_plus", deep_supervision=True, pruned_at=level)
        pruned.load_state_dict({key: value for key, value in model.state_dict().items() if key in pruned.state_dict()})
        with torch.no_grad():
            torch.testing.assert_close(frame.probabilities, pruned(image)[0].softmax(0))
    plain = frames(network("unet_plus_plus"), image)
    assert summary(plain) == [(s, "readout") for s in ("bottleneck", "decoder4", "decoder3", "decoder2")] + [("decoder1", "head")]


@pytest.mark.parametrize("guided", [False, True])
def test_unet3_plus_has_side_outputs(guided: bool) -> None:
    model = network("unet3_plus", num_classes=1, deep_supervision=True, classification_guided=guided)
    image = torch.rand(1, 3, 32, 48)
    found = frames(model, image)
    assert summary(found) == [(s, "head") for s in ("bottleneck", "decoder4", "decoder3", "decoder2", "decoder1")]
    maps = record(model, image)
    side = model.side_heads[2](maps["decoder3"])  # type: ignore[index, operator]
    logits = F.interpolate(side, size=(32, 48), mode="bilinear", align_corners=False)[0, 0]
    with torch.no_grad():
        presence = model.supervise(image).presence[0, 0].sigmoid() if guided else torch.tensor(1.0)  # type: ignore[operator]
    torch.testing.assert_close(found[2].probabilities[1], (presence * logits.sigmoid()).detach())


def test_nnunet_shows_the_heads_that_were_trained() -> None:
    model, image = network("nnunet", depth=5), torch.rand(1, 3, 64, 64)
    found = frames(model, image)
    assert summary(found) == [("decoder3", "head"), ("decoder2", "head"), ("decoder1", "head")], (
        "the deepest has no share in the loss"
    )
    with torch.no_grad():
        logits = model.heads[1](record(model, image)["decoder3"])  # type: ignore[index, operator]
    assert logits.shape[-1] == 16
    expected = F.interpolate(logits, size=(64, 64), mode="bilinear", align_corners=False)[0].softmax(0)
    torch.testing.assert_close(found[0].probabilities, expected)
    single = frames(network("nnunet", depth=3, deep_supervision=False), image)
    assert summary(single) == [("bottleneck", "readout"), ("decoder2", "readout"), ("decoder1", "head")]


# The probe


def test_a_linear_head_is_found_again() -> None:
    torch.manual_seed(0)
    activation, head = torch.randn(6, 20, 24), torch.randn(3, 6)
    logits = torch.einsum("cd,dhw->chw", head, activation) + 5
    read = linear_readout(activation, logits)
    torch.testing.assert_close(read.logits, logits, atol=1e-3, rtol=1e-3)
    assert read.explained == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(("n", "channels"), [(40, 6), (12, 30)])
def test_the_ridge_is_the_one_of_generalised_cross_validation(n: int, channels: int) -> None:
    """By its definition: the hat matrix of each strength, and the strength with the least n⁻¹‖(I−H)y‖² / (n⁻¹ tr(I−H))²."""
    torch.manual_seed(n)
    x = torch.randn(n, channels) * torch.rand(channels) * 4 + 7
    y = x[:, :2] @ torch.randn(2, 2) + torch.randn(n, 2)
    weights, bias, explained = ridge(x, y)
    z = ((x - x.mean(0)) / x.std(0, correction=0)).double()
    centred = (y - y.mean(0)).double()
    largest = torch.linalg.matrix_norm(z, 2) ** 2
    best, fitted = float("inf"), torch.empty(0)
    for share in STRENGTHS:
        inverse = torch.linalg.inv(z.T @ z + share * largest * torch.eye(channels))
        hat = z @ inverse @ z.T + 1 / n
        score = n * ((torch.eye(n) - hat) @ centred).square().sum() / (n - hat.trace()) ** 2
        if n - hat.trace() > 1e-6 * n and score < best:
            best, fitted = float(score), hat @ centred + y.mean(0)
    torch.testing.assert_close((x @ weights.T + bias).double(), fitted, atol=1e-3, rtol=1e-3)
    left = (y - fitted).square().sum() / centred.square().sum()
    assert explained == pytest.approx(1 - left.item(), abs=1e-4)


def test_noise_explains_little_even_with_more_channels_than_positions() -> None:
    torch.manual_seed(3)
    assert linear_readout(torch.randn(200, 8, 8), torch.randn(1, 64, 64)).explained < 0.6


def test_flat_and_dead_channels_do_no_harm() -> None:
    read = linear_readout(torch.zeros(4, 8, 8), torch.randn(2, 16, 16))
    assert read.logits.isfinite().all() and read.explained == pytest.approx(0, abs=1e-6)
    flat = linear_readout(torch.rand(4, 8, 8), torch.full((2, 16, 16), 3.0))
    torch.testing.assert_close(flat.logits, torch.full((2, 16, 16), 3.0))
    assert flat.explained == 1


def test_logits_are_pooled_over_areas_and_what_is_read_is_enlarged_bilinearly() -> None:
    torch.manual_seed(0)
    logits = torch.randn(1, 24, 36)
    for size in ((6, 9), (8, 12), (24, 36), (5, 7)):
        pooled = F.interpolate(logits[None], size=size, mode="area")[0] if 24 % size[0] == 0 else _overlapping(logits, size)
        read = linear_readout(pooled, logits)
        assert read.explained == pytest.approx(1, abs=1e-6)
        expected = F.interpolate(pooled[None], size=(24, 36), mode="bilinear", align_corners=False)[0]
        torch.testing.assert_close(read.logits, expected, atol=1e-3, rtol=1e-3)


def _overlapping(logits: Tensor, size: tuple[int, int]) -> Tensor:
    """The exact mean over areas whose borders cut through pixels: every pixel as size × size equal ones."""
    fine = logits.repeat_interleave(size[0], dim=1).repeat_interleave(size[1], dim=2)
    return F.avg_pool2d(fine[None], (logits.shape[1], logits.shape[2]))[0]


def test_a_map_that_covers_more_than_the_logits_is_read_where_they_lie() -> None:
    """A ramp in input pixels stays the same ramp."""
    down = (torch.arange(16) * 4 + 2.0)[:, None].expand(16, 20)[None]  # 16 rows of 4 pixels from 0 to 64
    wanted = (torch.arange(24) + 20.5)[:, None].expand(24, 30)[None]  # rows 20 to 44
    read = linear_readout(down, wanted, Rect(0, 0, 64, 80), Rect(20, 25, 44, 55))
    torch.testing.assert_close(read.logits, wanted, atol=1e-2, rtol=1e-3)
    assert read.explained == pytest.approx(1, abs=1e-4)
    shifted = linear_readout(down, wanted)
    assert shifted.logits.shape == wanted.shape and not torch.allclose(shifted.logits, wanted, atol=0.1)


def test_a_network_without_padding_is_read_at_the_right_place() -> None:
    model, image = network("unet", padding="valid", depth=2, num_classes=2), torch.rand(1, 3, 100, 108)
    places = placements(model, (100, 108), 3)
    recording = recorded(model, image)
    found = frames(model, image, recording, placed=places)
    assert summary(found) == [("bottleneck", "readout"), ("decoder2", "readout"), ("decoder1", "head")]
    assert {frame.probabilities.shape for frame in found} == {recording.logits.shape}
    stage, head = places["decoder2"].extent, places["head"].extent
    read = linear_readout(recording.maps["decoder2"], recording.logits, stage, head)
    assert stage.top < head.top and stage.bottom > head.bottom
    torch.testing.assert_close(found[1].probabilities, read.logits.softmax(0))
    assert not torch.allclose(frames(model, image)[1].probabilities, found[1].probabilities)


def test_strided_networks_are_read_as_they_enlarge_themselves() -> None:
    """Their positions lie a part of a step aside, which the network ignores when it lays its scores over the picture."""
    model, image = network("autoencoder", depth=2), torch.rand(1, 3, 32, 32)
    places = placements(model, (32, 32), 3)
    assert places["bottleneck"].extent.top == -1.5
    for a, b in zip(frames(model, image, placed=places), frames(model, image), strict=True):
        assert torch.equal(a.probabilities, b.probabilities)

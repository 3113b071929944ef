"""segdemo.features.probe and effective_field: the right position in every stage, and gradients that perturbations confirm."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from segdemo.errors import SettingError
from segdemo.features.effective_field import EffectiveField, effective_field
from segdemo.features.placement import placements
from segdemo.features.probe import values_at
from segdemo.features.record import record
from segdemo.models import create_model
from segdemo.types import Stage

pytestmark = pytest.mark.usefixtures("one_thread")


def hooks(model: nn.Module) -> int:
    return sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules())


@contextmanager
def left_alone(model: nn.Module) -> Iterator[None]:
    """No hook stays, and parameters neither keep gradients nor change."""
    before = [(p.clone(), p.requires_grad) for p in model.parameters()]
    yield
    assert hooks(model) == 0
    for (value, required), parameter in zip(before, model.parameters(), strict=True):
        assert parameter.grad is None and parameter.requires_grad == required and torch.equal(value, parameter)


def network(name: str, *, seed: int = 0, **options: Any) -> nn.Module:
    torch.manual_seed(seed)
    return create_model(name, **{"num_classes": 2, "width": 2, **options}).eval()


# values_at


def test_values_are_those_of_the_nearest_position() -> None:
    model, image = network("unet", depth=2), torch.rand(1, 3, 32, 48)
    maps = {name: output[0] for name, output in record(model, image).items()}
    values = values_at(maps, placements(model, (32, 48), 3), y=21, x=46)
    assert list(values) == [s.name for s in model.stages()]  # type: ignore[operator]
    for stage, shrunk in (("encoder1", 1), ("encoder2", 2), ("bottleneck", 4), ("decoder1", 1), ("head", 1)):
        assert torch.equal(values[stage], maps[stage][:, 21 // shrunk, 46 // shrunk]), stage


def test_values_of_a_network_that_loses_its_border() -> None:
    model, image = network("unet", depth=2, padding="valid"), torch.rand(1, 3, 60, 68)
    maps = {name: output[0] for name, output in record(model, image).items()}
    border = (60 - maps["head"].shape[1]) // 2
    values = values_at(maps, placements(model, (60, 68), 3), y=30, x=33)
    assert torch.equal(values["head"], maps["head"][:, 30 - border, 33 - border])
    assert torch.equal(values["encoder1"], maps["encoder1"][:, 28, 31])


def test_a_vector_says_the_same_everywhere_and_what_is_not_placed_nothing() -> None:
    model = network("mnist_cnn")
    maps = {name: output[0] for name, output in record(model, torch.rand(1, 3, 28, 28)).items()}
    places = placements(model, (28, 28), 3)
    first, last = values_at(maps, places, 0, 0), values_at(maps, places, 27, 27)
    assert torch.equal(first["head"], last["head"]) and first["head"].shape == (2,)
    assert list(values_at(maps, {"head": places["head"]}, 3, 3)) == ["head"]


# effective_field


def perturbed(model: nn.Module, image: Tensor, stage: str, row: int, column: int, channel: int | None) -> Tensor:
    """(H, W): how much the unit moves when one pixel does, summed over the pixel's channels; by central differences."""

    def unit(x: Tensor) -> Tensor:
        values = record(model, x)[stage][:, :, row, column]
        return values.mean(dim=1) if channel is None else values[:, channel]

    channels, height, width = image.shape[1:]
    steps = 1e-6 * torch.eye(channels * height * width, dtype=image.dtype).view(-1, channels, height, width)
    slopes = (unit(image + steps) - unit(image - steps)) / 2e-6
    return slopes.view(channels, height, width).abs().sum(dim=0)


@pytest.mark.parametrize("channel", [None, 1])
@pytest.mark.parametrize("stage", ["encoder1", "bottleneck", "decoder1", "head"])
def test_gradients_agree_with_perturbations(stage: str, channel: int | None) -> None:
    model = network("unet", depth=1, activation="gelu", pooling="average", in_channels=2).double()
    image = torch.rand(1, 2, 10, 12, dtype=torch.double)
    found = effective_field(model, image, stage, 2, 3, channel).heat
    expected = perturbed(model, image, stage, 2, 3, channel)
    torch.testing.assert_close(found, (expected / expected.sum()).float(), atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize(
    ("name", "options", "size"),
    [
        ("unet", {"depth": 2}, (48, 64)),
        ("unet", {"depth": 2, "padding": "valid"}, (60, 60)),
        ("segnet", {}, (64, 64)),
        ("fcn8s", {"padding": "same", "classifier_width": 4}, (96, 64)),
        ("unet_plus_plus", {"depth": 2}, (40, 40)),
    ],
)
def test_a_unit_listens_only_within_what_it_sees(name: str, options: dict[str, Any], size: tuple[int, int]) -> None:
    model, image = network(name, **options), torch.rand(1, 3, *size)
    heard = 0
    for stage, place in placements(model, size, 3).items():
        assert place.kind == "exact"
        for row, column in {(0, 0), (place.shape[0] // 2, place.shape[1] // 2), (place.shape[0] - 1, 0)}:
            result = effective_field(model, image, stage, row, column, placement=place)
            rect = place.field(row, column)
            top, left, bottom, right = (int(v) for v in (rect.top, rect.left, rect.bottom, rect.right))
            inside = result.heat[top:bottom, left:right].sum().item()
            assert inside == pytest.approx(0 if result.silent else 1, abs=1e-5), (stage, row, column)
            assert result.heat.sum().item() == pytest.approx(inside, abs=1e-6)
            assert result.heat.min() >= 0 and result.centre == place.centre(row, column)
            heard += not result.silent
    assert heard > 5, "or nothing was tested"


def test_a_dead_relu_is_silent() -> None:
    model = Two(nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.ReLU()), nn.Identity())
    nn.init.constant_(model.first[0].bias, -100)  # type: ignore[index, arg-type]
    result = effective_field(model, torch.rand(1, 1, 8, 8), "first", 4, 4)
    assert result.silent and result.heat.sum() == 0
    assert (result.radius_px, result.side_px) == (0, 0)


class Two(nn.Module):
    def __init__(self, first: nn.Module, second: nn.Module) -> None:
        super().__init__()
        self.first, self.second = first, second

    def forward(self, image: Tensor) -> Tensor:
        return self.second(self.first(image))  # type: ignore[no-any-return]

    def stages(self) -> list[Stage]:
        return [Stage("first", "encoder", "first"), Stage("second", "head", "second")]


def uniform(kernel: int) -> nn.Conv2d:
    layer = nn.Conv2d(1, 1, kernel, padding=kernel // 2)
    nn.init.ones_(layer.weight)
    return layer


def test_radius_and_side_hold_95_percent() -> None:
    """A uniform 5×5: 21 pixels lie nearer than the corners and hold 84 %, so the corners count; the square is the kernel."""
    model = Two(uniform(5), nn.Identity())
    place = placements(model, (20, 20), 1)["first"]
    result = effective_field(model, torch.rand(1, 1, 20, 20), "first", 9, 8, placement=place)
    torch.testing.assert_close(result.heat[7:12, 6:11], torch.full((5, 5), 0.04))
    assert result.centre == (9.5, 8.5)
    assert result.radius_px == pytest.approx(8**0.5)
    assert result.side_px == pytest.approx(5)


def held(result: EffectiveField, radius: float, square: bool = False) -> float:
    height, width = result.heat.shape
    down = (torch.arange(height) + 0.5 - result.centre[0]).abs()[:, None]
    across = (torch.arange(width) + 0.5 - result.centre[1]).abs()[None]
    distance = torch.maximum(down, across) if square else (down**2 + across**2).sqrt()
    return result.heat[distance <= radius].sum().item()


def test_disc_and_square_are_the_smallest() -> None:
    model, image = network("unet", depth=2), torch.rand(1, 3, 64, 64)
    place = placements(model, (64, 64), 3)["bottleneck"]
    for result in (
        effective_field(model, image, "bottleneck", 7, 8, placement=place),
        effective_field(model, image, "bottleneck", 7, 8),  # around its own centre of mass
    ):
        half = (result.side_px - 1) / 2
        assert held(result, result.radius_px + 1e-5) >= 0.95 - 1e-5 and held(result, result.radius_px - 1e-3) < 0.95
        assert held(result, half + 1e-5, square=True) >= 0.95 - 1e-5 and held(result, half - 1e-3, square=True) < 0.95
    field = place.field(7, 8)
    assert 0 < result.radius_px < field.height


def test_without_a_placement_the_centre_is_the_heats_own() -> None:
    model = Two(uniform(3), nn.Identity())
    assert effective_field(model, torch.rand(1, 1, 12, 12), "first", 5, 7).centre == pytest.approx((5.5, 7.5))


class Broken(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        raise ValueError("broken")


def test_the_pass_ends_at_the_stage_and_leaves_nothing_behind() -> None:
    model, image = Two(uniform(3), Broken()), torch.rand(1, 1, 9, 9)
    with left_alone(model):
        assert effective_field(model, image, "first", 4, 4).heat.sum().item() == pytest.approx(1)
    with left_alone(model), pytest.raises(ValueError, match="broken"):
        effective_field(model, image, "second", 4, 4)
    assert not image.requires_grad


def test_gradients_are_on_whatever_the_caller_does() -> None:
    model = network("unet", depth=1, activation="gelu")
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    expected = effective_field(model, torch.ones(1, 3, 16, 16), "bottleneck", 4, 4).heat
    with torch.inference_mode(), left_alone(model):
        found = effective_field(model, torch.ones(1, 3, 16, 16), "bottleneck", 4, 4).heat
    assert found.sum() > 0 and torch.equal(found, expected)


def test_a_network_in_half_precision_is_given_half_precision() -> None:
    model = network("unet", depth=1, activation="gelu").bfloat16()
    result = effective_field(model, torch.rand(1, 3, 16, 16), "bottleneck", 4, 4)
    assert result.heat.dtype == torch.float32 and result.heat.sum().item() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("stage", "row", "column", "channel", "word"),
    [
        ("gone", 0, 0, None, "gone"),
        ("bottleneck", 8, 0, None, "8 rows"),
        ("bottleneck", 0, -1, None, "-1"),
        ("head", 0, 0, 2, "channels 0 to 1"),
    ],
)
def test_what_does_not_exist_is_a_sentence(stage: str, row: int, column: int, channel: int | None, word: str) -> None:
    with pytest.raises(SettingError, match=word):
        effective_field(network("unet", depth=1), torch.rand(1, 3, 16, 16), stage, row, column, channel)


def test_a_vector_is_one_position() -> None:
    torch.manual_seed(0)
    model = create_model("resnet18", num_classes=3).eval()
    result = effective_field(model, torch.rand(1, 3, 64, 64), "head", 0, 0, 2)
    assert result.heat.shape == (64, 64) and not result.silent

"""segdemo.features.recording, joins: maps and joins equal those of forwards written by hand, and networks stay as they were."""

import gc
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segdemo.features import recording as recording_module
from segdemo.features.ablation import Changes, Switch, run_changed
from segdemo.features.course import trace
from segdemo.features.joins import Join, join_at
from segdemo.features.recording import Recording, record_all
from segdemo.models import create_model
from segdemo.models.private import private_copy
from segdemo.types import Stage

pytestmark = pytest.mark.usefixtures("one_thread")


def picture(*size: int, seed: int = 1) -> Tensor:
    return torch.randn(1, *size, generator=torch.Generator().manual_seed(seed))


def make(name: str, **options: Any) -> Any:
    """A small network whose normalisation has learned something."""
    torch.manual_seed(0)
    model = create_model(name, num_classes=3, **options).eval()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_mean is not None and module.running_var is not None
            module.running_mean.normal_(std=0.1)
            module.running_var.uniform_(0.5, 1.5)
            nn.init.normal_(module.bias, std=0.1)
    return model


def untouched(model: nn.Module) -> Callable[[], None]:
    """A check that nothing about the model has changed since now."""
    state = {key: value.clone() for key, value in model.state_dict().items()}
    training = [module.training for module in model.modules()]
    places = [value.data_ptr() for value in model.state_dict().values()]

    def check() -> None:
        assert all(torch.equal(value, state[key]) for key, value in model.state_dict().items())
        assert [value.data_ptr() for value in model.state_dict().values()] == places
        assert [module.training for module in model.modules()] == training
        assert not any(m._forward_hooks or m._forward_pre_hooks or m._backward_hooks for m in model.modules())

    return check


def joins_of(model: nn.Module, recording: Recording) -> dict[str, Join]:
    """Of every stage that has one, in the order of stages."""
    course = trace(model, recording.input)
    found = {stage.name: join_at(model, recording, course, stage.name) for stage in recording.stages}
    return {name: join for name, join in found.items() if join is not None}


def check_maps(recording: Recording, expected: dict[str, Tensor]) -> None:
    assert list(recording.maps) == [stage.name for stage in recording.stages]
    assert set(recording.maps) == set(expected)
    for name, activation in recording.maps.items():
        assert activation.dtype == torch.float32 and activation.ndim == 3
        assert torch.equal(activation, expected[name][0]), name


@torch.no_grad()
def test_unet_equals_a_forward_written_by_hand() -> None:
    model, image = make("unet", width=4), picture(3, 48, 35)
    expected: dict[str, Tensor] = {}
    x = image
    for i in range(4):
        expected[f"encoder{i + 1}"] = x = model.encoder[i](x)
        x = F.max_pool2d(x, 2)
    expected["bottleneck"] = x = model.bottleneck(x)
    arriving: dict[str, tuple[Tensor, Tensor]] = {}
    for i in range(4):
        skip = expected[f"encoder{4 - i}"]
        up = model.upsample[i](x)
        up = F.pad(up, [0, skip.shape[-1] - up.shape[-1], 0, skip.shape[-2] - up.shape[-2]])
        arriving[f"decoder{4 - i}"] = skip, up
        expected[f"decoder{4 - i}"] = x = model.decoder[i](torch.cat([skip, up], 1))
    expected["head"] = model.segmentation_head(x)
    check = untouched(model)
    recording = record_all(model, image)
    check()
    check_maps(recording, expected)
    assert torch.equal(recording.logits, expected["head"][0]) and torch.equal(recording.input, image)
    joins = joins_of(model, recording)
    check()
    assert set(joins) == set(arriving)
    for name, (skip, up) in arriving.items():
        join = joins[name]
        assert join.kind == "concat" and list(join.skips) == [f"encoder{name[-1]}"]
        assert torch.equal(join.skips[f"encoder{name[-1]}"], skip[0])
        assert join.main is not None and torch.equal(join.main, up[0])


@torch.no_grad()
def test_segnet_hands_on_places_only() -> None:
    model, image = make("segnet", width=4), picture(3, 35, 48)
    names = ["encoder1", "encoder2", "encoder3", "encoder4", "bottleneck"]
    expected: dict[str, Tensor] = {}
    places = []
    x = image
    for name, block in zip(names, [*model.encoder, model.bottleneck], strict=True):
        expected[name] = x = block(x)
        x, indices = F.max_pool2d(x, 2, ceil_mode=True, return_indices=True)
        places.append(indices)
    unpooled = {}
    for i, decoder in enumerate(model.decoder):
        source = names[4 - i]
        unpooled[f"decoder{5 - i}"] = F.max_unpool2d(x, places[4 - i], [2, 2], output_size=expected[source].shape[-2:])
        expected[f"decoder{5 - i}"] = x = decoder(unpooled[f"decoder{5 - i}"])
    expected["head"] = model.segmentation_head(x)
    recording = record_all(model, image)
    check_maps(recording, expected)
    joins = joins_of(model, recording)
    for i, (name, join) in enumerate(joins.items()):
        assert join.kind == "indices" and list(join.skips) == [names[4 - i]]
        assert torch.equal(join.skips[names[4 - i]], expected[names[4 - i]][0])
        assert join.main is not None and torch.equal(join.main, unpooled[name][0])
    assert len(joins) == 5


@torch.no_grad()
def test_fcn_adds_scores_that_were_cropped() -> None:
    model, image = make("fcn8s", width=8, classifier_width=32), picture(3, 64, 48)
    recording = record_all(model, image)
    x = image
    maps = []
    for encoder in model.encoder:
        x = encoder(x)
        maps.append(x)
    score, joins = model.decoder[0](model.bottleneck(x)), joins_of(model, recording)
    for name, fuse, source in zip(("decoder2", "decoder1"), model.decoder[1:], (3, 2), strict=True):
        join = joins[name]
        skip, up = join.skips[f"encoder{source + 1}"], join.main
        assert join.kind == "sum" and up is not None and up.shape == skip.shape == recording.maps[name].shape
        begin, (height, width) = fuse.offset, skip.shape[-2:]
        assert begin > 0, "the skip is larger, and its part that lies over the enlarged map begins here"
        scored = fuse.score(maps[source])[0, :, begin:, begin:]
        assert torch.equal(skip, scored[:, :height, :width])
        assert torch.equal(up, fuse.up.deconvolution(score)[0, :, :height, :width])
        score = fuse(score, maps[source])
        assert torch.equal(recording.maps[name], score[0]) and torch.equal(up + skip, score[0])


@torch.no_grad()
def test_skips_are_shown_as_they_arrive() -> None:
    """U-Net 3+ pools and convolves them, the U-Net without padding crops them."""
    model, image = make("unet3_plus", width=4), picture(3, 64, 48)
    recording = record_all(model, image)
    join = joins_of(model, recording)["decoder3"]
    assert set(join.skips) == {"encoder1", "encoder2", "encoder3", "bottleneck"}
    pooled = F.max_pool2d(recording.maps["encoder1"][None], 4)
    assert torch.equal(join.skips["encoder1"], model.parts[1][0](pooled)[0])
    deep = F.interpolate(recording.maps["bottleneck"][None], size=(16, 12), mode="bilinear", align_corners=False)
    assert torch.equal(join.skips["bottleneck"], model.parts[1][4](deep)[0])
    assert join.main is not None and join.main.shape == (4, 16, 12)
    together = torch.cat([*(join.skips[f"encoder{i}"] for i in (1, 2, 3)), join.main, join.skips["bottleneck"]])
    assert torch.equal(model.decoder[1](together[None])[0], recording.maps["decoder3"])

    model = make("unet", width=2, depth=2, padding="valid")
    valid = record_all(model, picture(3, 60, 60))
    cropped = joins_of(model, valid)["decoder1"].skips["encoder1"]
    edge = (valid.maps["encoder1"].shape[-1] - cropped.shape[-1]) // 2
    assert edge > 0 and torch.equal(cropped, valid.maps["encoder1"][:, edge:-edge, edge:-edge])


class Overwriting(nn.Module):
    """Two stages give out the same memory, and everything is overwritten in place, even the picture."""

    def __init__(self, fails: bool = False) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 2, 3, padding=1)
        self.act = nn.ReLU(inplace=True)
        self.second = nn.Conv2d(2, 1, 1)
        self.fails = fails

    def forward(self, image: Tensor) -> Tensor:
        x = self.act(self.first(image))
        if self.fails:
            raise ValueError("broken")
        x.mul_(2)
        x[:, :1].add_(1)  # through a view
        image.zero_()
        return self.second(x)  # type: ignore[no-any-return]

    def stages(self) -> list[Stage]:
        return [Stage("encoder1", "encoder", "first"), Stage("bottleneck", "bottleneck", "act"), Stage("head", "head", "second")]


@torch.no_grad()
def test_maps_are_kept_as_they_were_when_their_stage_had_run() -> None:
    torch.manual_seed(0)
    model, image = Overwriting().eval(), picture(1, 6, 5)
    given = image.clone()
    first_time, recording = (record_all(model, given) for _ in range(2))
    assert all(torch.equal(first_time.maps[name], recording.maps[name]) for name in recording.maps)
    assert torch.equal(given, image), "the caller's picture is not the network's to overwrite"
    first = model.first(image)
    assert torch.equal(recording.maps["encoder1"], first[0]) and (first < 0).any()
    assert torch.equal(recording.maps["bottleneck"], first[0].relu())
    after = 2 * first.relu() + torch.tensor([1.0, 0.0]).view(1, 2, 1, 1)
    assert torch.equal(recording.logits, model.second(after)[0])
    assert torch.equal(recording.input, image)
    course = trace(model, image)
    assert torch.equal(image, given)
    for stage in ("encoder1", "bottleneck"):
        for _again in range(2):
            changed = run_changed(model, recording, course, Changes((Switch(stage, None, "other"),)), other=recording)
            assert torch.equal(changed, recording.logits), "what is overwritten is never the recording"


class Counting(nn.Module):
    """Notes how often it and its copies run, and can overwrite its stage's map or leave it."""

    passes = 0

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(1, 2, 1), nn.Conv2d(2, 1, 1)
        self.overwrites = False

    def forward(self, image: Tensor) -> Tensor:
        Counting.passes += 1
        x = self.first(image)
        return self.second(x.relu_() if self.overwrites else x.relu())  # type: ignore[no-any-return]

    def stages(self) -> list[Stage]:
        return [Stage("encoder1", "encoder", "first"), Stage("head", "head", "second")]


@torch.no_grad()
def test_what_is_overwritten_is_learned_once_for_all_copies_and_noticed_where_it_changes() -> None:
    torch.manual_seed(0)
    model = Counting().eval()
    expected = model.first(image := picture(1, 6, 5))[0]
    assert (expected < 0).any()
    passes = []
    for overwrites in (False, False, True, True, False):
        model.overwrites, before = overwrites, Counting.passes
        assert torch.equal(record_all(private_copy(model), image).maps["encoder1"], expected)
        passes.append(Counting.passes - before)
    assert passes == [1, 1, 2, 1, 1], "one pass for a picture, and another where a map was overwritten that never was before"


def test_what_is_remembered_of_a_network_keeps_it_not_alive() -> None:
    model = make("unet", width=4, depth=2)
    weak, before = weakref.ref(next(model.parameters())), len(recording_module._overwritten)
    recording, course = record_all(model, picture(3, 32, 32)), trace(model, picture(3, 32, 32))
    assert len(recording_module._overwritten) == before + 1
    del model
    gc.collect()
    assert weak() is None and len(recording_module._overwritten) == before
    assert recording.maps and course.cones


def test_what_several_share_counts_once() -> None:
    model = make("unet", width=4)
    for _again in range(2):
        recording = record_all(model, picture(3, 32, 32))
        floats = sum(t.numel() for t in (*recording.maps.values(), recording.input))
        assert recording.nbytes == 4 * floats, "the logits are the head's map"
    join = joins_of(model, recording)["decoder1"]
    skip, encoder = join.skips["encoder1"], recording.maps["encoder1"]
    assert skip.data_ptr() == encoder.data_ptr() and join.main is not None
    assert join.nbytes == 4 * (skip.numel() + join.main.numel())


def test_vectors_are_maps_of_one_position() -> None:
    recording = record_all(make("resnet18"), picture(3, 64, 64))
    assert recording.maps["head"].shape == recording.logits.shape == (3, 1, 1)


@pytest.mark.parametrize("form", [torch.contiguous_format, torch.channels_last])
def test_half_precision_is_recorded_exactly(form: torch.memory_format) -> None:
    model = make("unet", width=4, depth=2).to(torch.bfloat16, memory_format=form)
    image = picture(3, 32, 32).to(memory_format=form)
    with torch.inference_mode():
        logits = model(image.bfloat16())[0].float()
        recording = record_all(model, image)
    assert torch.equal(recording.logits, logits)
    assert all(activation.dtype == torch.float32 for activation in recording.maps.values())
    assert not any(activation.is_inference() for activation in recording.maps.values())
    changes = Changes((Switch("encoder1", None, "other"),))
    assert torch.equal(run_changed(model, recording, trace(model, image), changes, other=recording), logits)


def test_nothing_remains_after_an_error() -> None:
    model = Overwriting(fails=True).train()
    check = untouched(model)
    with pytest.raises(ValueError, match="broken"):
        record_all(model, picture(1, 4, 4))
    check()
    with pytest.raises(ValueError, match="broken"):
        trace(model, picture(1, 4, 4))
    check()
    model.fails = False
    record_all(model, picture(1, 4, 4))
    check()


def test_twenty_visitors_on_one_network() -> None:
    model = make("unet", width=4, depth=3)
    images = [picture(3, 48, 32, seed=seed) for seed in range(20)]
    stages = ["encoder1", "encoder2", "bottleneck", "decoder2"]

    def visit(seed: int) -> tuple[Recording, Tensor]:
        recording, course = record_all(private_copy(model), images[seed]), trace(private_copy(model), images[seed])
        changes = Changes((Switch(stages[seed % 4], None, "noise"),), own_statistics=seed % 2 == 0)
        if seed % 5 == 0:
            with pytest.raises(RuntimeError):
                record_all(private_copy(model), picture(2, 48, 32))  # a channel too few, in the middle of everybody's passes
        return recording, run_changed(model, recording, course, changes, seed=seed)

    alone = [visit(seed) for seed in range(20)]
    check = untouched(model)
    with ThreadPoolExecutor(20) as pool:
        together = list(pool.map(visit, range(20)))
    check()
    for (recording, changed), (expected, expected_changed) in zip(together, alone, strict=True):
        assert all(torch.equal(recording.maps[name], activation) for name, activation in expected.maps.items())
        assert torch.equal(recording.logits, expected.logits) and torch.equal(changed, expected_changed)

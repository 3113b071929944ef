"""segdemo.features.ablation: what is changed equals the same change made by hand, exactly, and nothing else is computed."""

import copy
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segdemo.errors import SettingError
from segdemo.features.ablation import Allowed, Changes, Switch, Switchable, allows, recomputed, run_changed, switchable
from segdemo.features.course import Course, trace
from segdemo.features.joins import join_at
from segdemo.features.recording import Recording, record_all
from segdemo.features.substitutes import substitute
from segdemo.models import create_model
from segdemo.models.fcn import bilinear_kernel
from segdemo.types import Stage

pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.filterwarnings("ignore:Encoder does not have prefix tokens:UserWarning"),
]

RESNET: dict[str, Any] = {"encoder_name": "resnet18"}
NARROW: dict[str, Any] = {**RESNET, "decoder_channels": (64, 32, 16, 16, 8)}
SMALL: dict[str, dict[str, Any]] = {
    "unet": {"width": 4}, "unet_plus_plus": {"width": 4, "deep_supervision": True}, "unet3_plus": {"width": 4},
    "nnunet": {"width": 4, "depth": 5}, "segnet": {"width": 4}, "dilatednet": {"width": 4, "classifier_width": 16},
    "fcn16s": {"width": 8, "classifier_width": 32}, "fcn8s": {"width": 8, "classifier_width": 32, "backbone": "alexnet"},
    "encoder_decoder": {"width": 8}, "autoencoder": {"width": 8}, "mnist_cnn": {"width": 4}, "alexnet": {}, "resnet18": {},
    "lraspp_mobilenet_v3_large": {}, "deeplabv3_mobilenet_v3_large": {}, "smp/unet": RESNET, "smp/unetplusplus": NARROW,
    "smp/manet": NARROW, "smp/linknet": RESNET, "smp/fpn": RESNET, "smp/deeplabv3plus": RESNET, "smp/pan": RESNET,
    "smp/pspnet": RESNET, 
    "smp/upernet": {**RESNET, "decoder_channels": 32}, "smp/segformer": {**RESNET, "decoder_segmentation_channels": 32},
     "segformer": {},
}  # fmt: skip


def make(name: str, **options: Any) -> Any:
    """A small network whose normalisation has learned something, so that no map is flat."""
    torch.manual_seed(0)
    model = create_model(name, num_classes=3, **{**SMALL.get(name, {}), **options}).eval()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_mean is not None and module.running_var is not None
            module.running_mean.normal_(std=0.1)
            module.running_var.uniform_(0.5, 1.5)
            nn.init.normal_(module.bias, 0.2, 0.1)
    return model


def picture(*size: int, seed: int = 1) -> Tensor:
    return torch.randn(1, *size, generator=torch.Generator().manual_seed(seed))


def zeroed(model: Any, recording: Recording, *skips: tuple[str, str | None]) -> Tensor:
    return changed_by(model, recording, Changes(tuple(Switch(stage, skip_to, "zero") for stage, skip_to in skips)))


def changed_by(model: Any, recording: Recording, changes: Changes, **options: Any) -> Tensor:
    """With the course of the very picture."""
    return run_changed(model, recording, trace(model, recording.input), changes, **options)


def hooked(model: nn.Module, image: Tensor, module: str, change: Callable[[Tensor], Tensor]) -> Tensor:
    """The logits of a copy of the model, one module of which gives out something else."""
    twin = copy.deepcopy(model)
    twin.get_submodule(module).register_forward_hook(lambda _m, _i, output: change(output))
    logits: Tensor = twin(image)[0]
    return logits


@pytest.fixture(scope="module", params=list(SMALL))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def model(name: str) -> Any:
    return make(name)


@pytest.fixture(scope="module")
def recording(model: Any) -> Recording:
    return record_all(model, picture(3, 64, 80))


@pytest.fixture(scope="module")
def course(model: Any) -> Course:
    """Of another picture of that size where the network says that it is the same for all."""
    found = trace(model, picture(3, 64, 80, seed=3))
    return found if found.general else trace(model, picture(3, 64, 80))


class TestEveryModel:
    @torch.no_grad()
    def test_is_recorded(self, model: Any, recording: Recording, course: Course) -> None:
        assert torch.equal(recording.logits, model(picture(3, 64, 80))[0])
        assert run_changed(model, recording, course, Changes()) is recording.logits
        joining = {stage.name: set(stage.skip_from) for stage in recording.stages if stage.join}
        joins = {stage.name: join_at(model, recording, course, stage.name) for stage in recording.stages}
        assert {name: set(join.skips) for name, join in joins.items() if join is not None} == joining
        for join in filter(None, joins.values()):
            assert join.main is not None
            assert {skip.shape[-2:] for skip in join.skips.values()} == {join.main.shape[-2:]}

    @torch.no_grad()
    def test_every_stage_switched_equals_a_hook_that_switches_it(self, model: Any, recording: Recording, course: Course) -> None:
        for stage in recording.stages:
            expected = hooked(model, picture(3, 64, 80), stage.module, torch.zeros_like)
            changes = Changes((Switch(stage.name, None, "zero"),))
            assert torch.equal(run_changed(model, recording, course, changes), expected), stage.name

    def test_every_switch_runs_and_changes_nothing_of_the_network(self, model: Any, recording: Recording, course: Course) -> None:
        state = {key: value.clone() for key, value in model.state_dict().items()}
        maps = {name: activation.clone() for name, activation in recording.maps.items()}
        other = record_all(model, picture(3, 80, 64, seed=2))
        found = switchable(recording, course)
        assert {s.stage for s in found if s.skip_to is None} == set(recording.maps)
        assert {(s.stage, s.skip_to) for s in found if s.skip_to} == {(a, s.name) for s in recording.stages for a in s.skip_from}
        for switch in found:
            itself = Changes((Switch(switch.stage, switch.skip_to, "other"),))
            assert torch.equal(run_changed(model, recording, course, itself, other=recording), recording.logits), switch
            for way in switch.ways:
                changes = Changes((Switch(switch.stage, switch.skip_to, way),))
                assert recomputed(course, changes)[-1:] == ("logits",), "the change reaches the logits"
                changed = run_changed(model, recording, course, changes, other=other)
                assert changed.shape == recording.logits.shape and not changed.requires_grad
        assert all(torch.equal(value, state[key]) for key, value in model.state_dict().items())
        assert all(torch.equal(activation, maps[name]) for name, activation in recording.maps.items())
        assert not any(module._forward_hooks or module.training for module in model.modules())

    @torch.no_grad()
    def test_own_statistics_are_those_of_training(self, model: Any, recording: Recording, course: Course) -> None:
        twin = copy.deepcopy(model)
        single: list[nn.Module] = []
        norms = [m for m in twin.modules() if isinstance(m, nn.BatchNorm2d)]
        for norm in norms:
            norm.register_forward_pre_hook(lambda m, inputs: single.append(m) if inputs[0][0, 0].numel() == 1 else None)
        twin(picture(3, 64, 80))
        for norm in norms:
            norm.train()
        for norm in single:  # torch refuses to train on one position; the map minus its mean is zero
            norm.eval()
            norm.register_forward_hook(lambda m, _i, output: m.bias[None, :, None, None].expand_as(output))
        changed, expected = run_changed(model, recording, course, Changes(own_statistics=True)), twin(picture(3, 64, 80))[0]
        assert torch.allclose(changed, expected, rtol=1e-3, atol=1e-3) if single else torch.equal(changed, expected)
        assert allows(course).own_statistics == bool(norms)

    def test_upsampling_is_swapped_where_there_is_any(self, model: Any, recording: Recording, course: Course) -> None:
        modes = [run_changed(model, recording, course, Changes(upsampling=mode)) for mode in ("nearest", "bilinear")]
        assert all(changed.shape == recording.logits.shape and changed.isfinite().all() for changed in modes)
        assert torch.equal(*modes) != allows(course).upsampling


def written_unet(
    model: Any, image: Tensor, without: Sequence[str] = (), enlarge: Callable[[int, Tensor], Tensor] | None = None
) -> Tensor:
    """The U-Net's forward by hand, with zeros in place of some skips and another enlargement."""
    maps, x = [], image
    for encoder in model.encoder:
        maps.append(encoder(x))
        x = F.max_pool2d(maps[-1], 2)
    x = model.bottleneck(x)
    for i, skip in enumerate(reversed(maps)):
        up = enlarge(i, x) if enlarge else model.upsample[i](x)
        kept = 0 if f"encoder{len(maps) - i}" in without else 1
        x = model.decoder[i](torch.cat([skip * kept, up], 1))
    logits: Tensor = model.segmentation_head(x)[0]
    return logits


class TestSkips:
    @pytest.mark.parametrize("level", [1, 2, 3, 4])
    @torch.no_grad()
    def test_concatenated(self, level: int) -> None:
        model, image = make("unet"), picture(3, 64, 48)
        recording = record_all(model, image)
        cut = zeroed(model, recording, (f"encoder{level}", f"decoder{level}"))
        assert torch.equal(cut, written_unet(model, image, (f"encoder{level}",)))
        assert not torch.equal(cut, recording.logits)

    @torch.no_grad()
    def test_all_at_once(self) -> None:
        model, image = make("unet"), picture(3, 64, 48)
        cut = zeroed(model, record_all(model, image), *((f"encoder{i}", f"decoder{i}") for i in range(1, 5)))
        assert torch.equal(cut, written_unet(model, image, ("encoder1", "encoder2", "encoder3", "encoder4")))

    @torch.no_grad()
    def test_a_skip_from_a_changed_stage_keeps_what_it_was_switched_to(self) -> None:
        model, image = make("unet"), picture(3, 64, 48)
        recording = record_all(model, image)
        both = Changes((Switch("encoder1", None, "zero"), Switch("encoder1", "decoder1", "other")))
        changed = changed_by(model, recording, both, other=recording)
        deep = hooked(model, image, "encoder.0", torch.zeros_like)  # its skip is zero too
        assert not torch.equal(changed, deep)
        twin = copy.deepcopy(model)
        join = torch.cat([recording.maps["encoder1"], _main_of_decoder1(twin, image)])[None]
        assert torch.equal(changed, model.segmentation_head(model.decoder[3](join))[0])

    @torch.no_grad()
    def test_summed(self) -> None:
        model, image = make("fcn8s", backbone="vgg16"), picture(3, 64, 48)
        recording = record_all(model, image)
        twin = copy.deepcopy(model)
        twin.decoder[1].score.weight.zero_()  # scores of zeros are the bias
        cut = zeroed(model, recording, ("encoder4", "decoder2"))
        assert torch.equal(cut, twin(image)[0]) and not torch.equal(cut, recording.logits)

    @torch.no_grad()
    def test_nested(self) -> None:
        """In a U-Net++ a map feeds several stages; only one of them is to lose it."""
        model, image = make("unet_plus_plus"), picture(3, 32, 32)
        recording = record_all(model, image)
        twin = copy.deepcopy(model)
        width = recording.maps["encoder1"].shape[0]

        def without(_module: nn.Module, inputs: tuple[Tensor]) -> tuple[Tensor]:
            joined = inputs[0].clone()
            joined[:, width : 2 * width] = 0  # x0_1 of the row x0_0, x0_1, x0_2
            return (joined,)

        twin.nodes["x0_3"].register_forward_pre_hook(without)
        cut = zeroed(model, recording, ("x0_1", "x0_3"))
        assert torch.equal(cut, twin(image)[0]) and not torch.equal(cut, recording.logits)
        assert "x0_2" not in recomputed(trace(model, image), Changes((Switch("x0_1", "x0_3"),)))

    @torch.no_grad()
    def test_pooled_and_convolved(self) -> None:
        model, image = make("unet3_plus", width=8), picture(3, 32, 32)
        recording = record_all(model, image)
        twin = copy.deepcopy(model)
        twin.parts[2][0].register_forward_pre_hook(lambda _m, inputs: (torch.zeros_like(inputs[0]),))
        cut = zeroed(model, recording, ("encoder1", "decoder2"))
        assert torch.equal(cut, twin(image)[0]) and not torch.equal(cut, recording.logits)

    @pytest.mark.parametrize(("skip", "stage"), [("encoder1", "decoder1"), ("bottleneck", "decoder5")])
    @torch.no_grad()
    def test_places_of_maxima(self, skip: str, stage: str) -> None:
        """What is pooled goes on; it comes back at the first place of each window."""
        model, image = make("segnet", width=8), picture(3, 64, 48)
        recording = record_all(model, image)
        expected = written_segnet(model, image, {skip: torch.zeros_like(recording.maps[skip][None])})
        cut = zeroed(model, recording, (skip, stage))
        assert torch.equal(cut, expected) and not torch.equal(cut, recording.logits)
        other = record_all(model, picture(3, 64, 48, seed=2))
        swapped = changed_by(model, recording, Changes((Switch(skip, stage, "other"),)), other=other)
        assert torch.equal(swapped, written_segnet(model, image, {skip: other.maps[skip][None]}))
        ways = next(s.ways for s in switchable(recording, trace(model, image)) if (s.stage, s.skip_to) == (skip, stage))
        assert ways == ("zero", "noise", "other")


def _main_of_decoder1(model: Any, image: Tensor) -> Tensor:
    """What arrives along the main way at decoder1 when encoder1 gives zeros."""
    seen: list[Tensor] = []
    model.encoder[0].register_forward_hook(lambda _m, _i, output: torch.zeros_like(output))
    model.upsample[3].register_forward_hook(lambda _m, _i, output: seen.append(output))
    model(image)
    return seen[0][0]


def written_segnet(model: Any, image: Tensor, places_from: dict[str, Tensor]) -> Tensor:
    names = ["encoder1", "encoder2", "encoder3", "encoder4", "bottleneck"]
    places, sizes, x = [], [], image
    for name, block in zip(names, [*model.encoder, model.bottleneck], strict=True):
        x = block(x)
        sizes.append(x.shape[-2:])
        searched = places_from.get(name, x)
        places.append(F.max_pool2d(searched, 2, ceil_mode=True, return_indices=True)[1])
        x = F.max_pool2d(x, 2, ceil_mode=True)
    for decoder in model.decoder:
        x = decoder(F.max_unpool2d(x, places.pop(), [2, 2], output_size=sizes.pop()))
    logits: Tensor = model.segmentation_head(x)[0]
    return logits


class TestWays:
    @torch.no_grad()
    def test_mean_noise_and_another_picture(self) -> None:
        model, image = make("unet"), picture(3, 64, 48)
        recording, other = record_all(model, image), record_all(model, picture(3, 96, 64, seed=3))

        def changed(way: Any, seed: int = 0) -> Tensor:
            return changed_by(model, recording, Changes((Switch("encoder2", None, way),)), other=other, seed=seed)

        mean = hooked(model, image, "encoder.1", lambda x: x.mean((2, 3), keepdim=True).expand_as(x).contiguous())
        assert torch.equal(changed("mean"), mean)
        resized = F.interpolate(other.maps["encoder2"][None], size=(32, 24), mode="bilinear", align_corners=False)
        assert torch.equal(changed("other"), hooked(model, image, "encoder.1", lambda _x: resized))
        assert torch.equal(changed("noise", 5), changed("noise", 5))
        assert not torch.equal(changed("noise", 5), changed("noise", 6))

    def test_noise_has_each_channels_mean_and_deviation(self) -> None:
        activation = picture(3, 200, 200) * torch.tensor([1.0, 5.0, 0.0]).view(3, 1, 1) + 7
        noise = substitute("encoder1", activation, "noise", None, 0)
        assert torch.allclose(noise.mean((2, 3)), activation.mean((2, 3)), atol=0.1)
        assert torch.allclose(noise.std((2, 3)), activation.std((2, 3)), atol=0.1)
        assert (noise[0, 2] == 7).all()

    def test_what_cannot_be_is_a_sentence(self) -> None:
        model = make("segnet")
        recording = record_all(model, picture(3, 64, 64))
        impossible = [
            Switch("encoder1", "decoder1", "mean"), Switch("encoder1", "decoder2", "zero"), Switch("stem", None, "zero"),
            Switch("encoder1", None, "other"),
        ]  # fmt: skip
        for switch in impossible:
            with pytest.raises(SettingError):
                changed_by(model, recording, Changes((switch,)))
        wider = record_all(make("segnet", width=8), picture(3, 64, 64))
        with pytest.raises(SettingError, match="encoder1"):
            changed_by(model, recording, Changes((Switch("encoder1", None, "other"),)), other=wider)

    def test_one_position_has_neither_mean_nor_noise(self) -> None:
        model, image = make("resnet18"), picture(3, 64, 64)
        found = switchable(record_all(model, image), trace(model, image))
        assert found[-1] == Switchable("head", None, ("zero", "other"))


def test_nothing_is_computed_that_the_change_does_not_reach() -> None:
    course = trace(make("unet"), picture(3, 32, 32))
    decoders = ("decoder4", "decoder3", "decoder2", "decoder1")
    assert recomputed(course, Changes()) == ()
    assert recomputed(course, Changes((Switch("encoder2", "decoder2"),))) == (*decoders[2:], "head", "logits")
    assert recomputed(course, Changes((Switch("encoder4", None),))) == ("bottleneck", *decoders, "head", "logits")
    assert recomputed(course, Changes((Switch("encoder1", None), Switch("decoder1", None)))) == ("head", "logits")
    assert recomputed(course, Changes((Switch("head", None),))) == ("logits",)
    assert recomputed(course, Changes(upsampling="nearest")) == (*decoders, "head", "logits")
    assert recomputed(course, Changes(own_statistics=True))[0] == "encoder1"


class TestUpsampling:
    @pytest.mark.parametrize("mode", ["nearest", "bilinear"])
    @torch.no_grad()
    def test_transposed_convolutions(self, mode: Any) -> None:
        model, image = make("unet"), picture(3, 64, 48)

        def enlarge(i: int, x: Tensor) -> Tensor:
            up = model.upsample[i]
            x = torch.einsum("nchw,cd->ndhw", x, up.weight.sum((2, 3)) / 4) + up.bias[None, :, None, None]
            return F.interpolate(x, scale_factor=2, mode=mode)

        changed = changed_by(model, record_all(model, image), Changes(upsampling=mode))
        assert torch.allclose(changed, written_unet(model, image, enlarge=enlarge), atol=1e-5)

    @pytest.mark.parametrize(
        ("kernel", "stride", "padding", "groups"), [(4, 2, 1, 1), (64, 32, 0, 3), (3, 2, 0, 1), (7, 4, 2, 3)]
    )
    @torch.no_grad()
    def test_a_bilinear_kernel_is_bilinear_interpolation(self, kernel: int, stride: int, padding: int, groups: int) -> None:
        """FCN's kernels begin as that: away from the border nothing may move."""
        layer = nn.ConvTranspose2d(3, 3, kernel, stride, padding, groups=groups).eval()
        weight = bilinear_kernel(kernel, stride)
        layer.weight.copy_(weight if groups == 3 else weight * torch.eye(3)[..., None, None])

        class Net(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.up = layer

            def forward(self, x: Tensor) -> Tensor:
                return self.up(x)  # type: ignore[no-any-return]

            def stages(self) -> list[Stage]:
                return [Stage("head", "head", "up", upsampling="transposed")]

        net, image = Net(), picture(3, 7, 6)
        recording = record_all(net, image)
        changed = changed_by(net, recording, Changes(upsampling="bilinear"))
        inner = (slice(None), slice(2 * stride, -2 * stride), slice(2 * stride, -2 * stride))
        assert changed.shape == recording.logits.shape
        assert torch.allclose(changed[inner], recording.logits[inner], atol=1e-5)
        nearest = changed_by(net, recording, Changes(upsampling="nearest"))
        assert nearest.shape == recording.logits.shape and nearest[0].unique().numel() <= 42

    @torch.no_grad()
    def test_interpolation_takes_the_other_mode(self) -> None:
        model, image = make("smp/unet"), picture(3, 64, 64)
        twin = copy.deepcopy(model)
        for block in twin.decoder.blocks:
            assert block.interpolation_mode == "nearest"
            block.interpolation_mode = "bilinear"
        recording = record_all(model, image)
        assert torch.allclose(changed_by(model, recording, Changes(upsampling="bilinear")), twin(image)[0], atol=1e-5)
        assert torch.equal(changed_by(model, recording, Changes(upsampling="nearest")), recording.logits)

    @torch.no_grad()
    def test_unpooling_spreads_the_value(self) -> None:
        model, image = make("segnet", width=8), picture(3, 64, 96)
        recording = record_all(model, image)
        x = F.max_pool2d(recording.maps["bottleneck"][None], 2, ceil_mode=True)
        for decoder, source in zip(model.decoder, ["bottleneck", "encoder4", "encoder3", "encoder2", "encoder1"], strict=True):
            x = decoder(F.interpolate(x / 4, size=recording.maps[source].shape[-2:], mode="nearest"))
        changed = changed_by(model, recording, Changes(upsampling="nearest"))
        assert torch.allclose(changed, model.segmentation_head(x)[0], atol=1e-5)

    def test_allowed_where_there_is_something_to_change(self) -> None:
        found = {name: allows(trace(make(name), picture(3, 64, 64))) for name in ("unet", "nnunet", "mnist_cnn", "resnet18")}
        assert found == {
            "unet": Allowed(True, True), "nnunet": Allowed(True, False), "mnist_cnn": Allowed(False, False),
            "resnet18": Allowed(False, True),
        }  # fmt: skip


@torch.no_grad()
def test_changes_together() -> None:
    """A cut skip, another enlargement and own statistics, all in one pass."""
    model, image = make("unet"), picture(3, 64, 48)
    twin = copy.deepcopy(model)
    for module in twin.modules():
        module.train(isinstance(module, nn.BatchNorm2d))

    def enlarge(i: int, x: Tensor) -> Tensor:
        up = model.upsample[i]
        return F.interpolate(F.conv2d(x, up.weight.sum((2, 3)).T[..., None, None] / 4, up.bias), scale_factor=2, mode="nearest")

    expected = written_unet(twin, image, ("encoder2",), enlarge)
    changes = Changes((Switch("encoder2", "decoder2", "zero"),), "nearest", True)
    assert torch.allclose(changed_by(model, record_all(model, image), changes), expected, atol=1e-4)

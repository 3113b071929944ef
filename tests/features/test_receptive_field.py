"""segdemo.features.receptive_field: published fields, fields worked out by hand, and fields measured by gradients."""

from itertools import product
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segdemo.errors import SettingError
from segdemo.features import receptive_field, receptive_fields, strides
from segdemo.features.receptive_field import views
from segdemo.features.record import first_tensor
from segdemo.models import create_model
from segdemo.types import Size, Stage

from .layered import Lambda, Layers

pytestmark = pytest.mark.usefixtures("one_thread")


def without_memory(name: str, **options: Any) -> nn.Module:
    with torch.device("meta"):
        return create_model(name, num_classes=2, **options)


@pytest.mark.parametrize(
    ("name", "options", "size"),
    [
        ("fcn32s", {"backbone": "vgg16"}, 404),
        ("fcn32s", {"backbone": "alexnet"}, 355),
        ("dilatednet", {"context": "none"}, 404 - 8 - 16),  # without pool4 and pool5
        ("unet", {}, 140),
        ("unet", {"padding": "valid"}, 140),
        ("unet_plus_plus", {}, 140),
    ],
)
def test_published_fields_of_the_deepest_features(name: str, options: dict[str, Any], size: int) -> None:
    assert receptive_field(without_memory(name, **options), "bottleneck").size == size


def test_the_papers_unet_stage_by_stage() -> None:
    """Two 3×3 convolutions add 4 strides, a 2×2 pooling 1; see the docstring of each number below."""
    fields = receptive_fields(without_memory("unet", padding="valid"))
    assert [fields[f"encoder{i}"].size for i in (1, 2, 3, 4)] == [5, 6 + 8, 16 + 16, 36 + 32]
    assert [float(fields[f"encoder{i}"].stride) for i in (1, 2, 3, 4)] == [1, 2, 4, 8]
    # Five positions 8 pixels apart lie over three bottleneck positions 16 pixels apart, and so on upwards.
    assert [fields[f"decoder{i}"].size for i in (4, 3, 2, 1)] == [140 + 2 * 16, 140 + 3 * 16, 140 + 4 * 16, 140 + 4 * 16]
    assert [float(fields[f"decoder{i}"].stride) for i in (4, 3, 2, 1)] == [8, 4, 2, 1]


def test_context_grows_the_dilated_field() -> None:
    """Dilations 1, 1, 2, 4, 8, 16, 1 add twice their sum, at 8 pixels a position."""
    plain, context = (without_memory("dilatednet", context=kind) for kind in ("none", "basic"))
    added = 8 * 2 * (1 + 1 + 2 + 4 + 8 + 16 + 1)
    assert receptive_field(context, "head").size == receptive_field(plain, "decoder1").size + added  # type: ignore[operator]


def test_what_pools_the_whole_picture_sees_it() -> None:
    assert receptive_field(without_memory("deeplabv3_resnet50"), "bottleneck").size == 427
    assert receptive_field(without_memory("deeplabv3_resnet50"), "decoder1").whole
    assert receptive_field(without_memory("resnet18"), "head").whole
    squeezed = receptive_fields(without_memory("lraspp_mobilenet_v3_large"))
    assert squeezed["encoder2"].size == 19 and squeezed["encoder3"].whole, "squeeze-and-excitation"


def test_a_deep_field_is_not_taken_for_the_whole_picture() -> None:
    fields = receptive_fields(without_memory("nnunet"))
    # Convolutions of 3×3 at strides 1, 2 … 128, two each, of which the first one of a stage halves.
    assert fields["bottleneck"].size == 1 + 4 * 1 + sum(2 * s // 2 + 2 * s for s in (2, 4, 8, 16, 32, 64, 128))
    assert not fields["decoder1"].whole
    assert strides(without_memory("nnunet"))["encoder3"] == 4


def test_an_unknown_stage_is_a_sentence() -> None:
    with pytest.raises(SettingError, match="decoder9"):
        receptive_field(without_memory("unet"), "decoder9")


def conv(kernel: int, **options: Any) -> nn.Conv2d:
    return nn.Conv2d(1, 1, kernel, bias=False, **options)


def tokens_and_back(x: Tensor) -> Tensor:
    """A layer on a list of positions, as in transformers, each on its own."""
    tokens = F.linear(x.flatten(2).transpose(1, 2), torch.ones(3, x.shape[1], dtype=x.dtype))
    return tokens.transpose(1, 2).reshape(1, 3, *x.shape[2:]).sum(1, keepdim=True) + x


def channels_last_and_back(x: Tensor) -> Tensor:
    return F.linear(x.permute(0, 2, 3, 1), torch.ones(2, x.shape[1], dtype=x.dtype)).permute(0, 3, 1, 2).contiguous()


LAYERS: dict[str, tuple[nn.Module, ...]] = {
    "strides and dilation": (conv(3, stride=2), conv(3, dilation=3, padding=2), conv(2), conv(3, stride=3, padding=1)),
    "transposed": (conv(3, stride=2, padding=1), nn.ConvTranspose2d(1, 1, 4, 2, 1, bias=False), conv(3)),
    "transposed with gaps": (nn.ConvTranspose2d(1, 1, 2, 3, dilation=2, output_padding=1, bias=False), conv(3, stride=2)),
    "bilinear": (conv(3, stride=2), nn.UpsamplingBilinear2d(scale_factor=2), nn.Upsample(scale_factor=3, mode="bilinear")),
    "nearest": (conv(5, stride=3), nn.Upsample(scale_factor=2), nn.Upsample((25, 31))),
    "pooling": (nn.AvgPool2d(3, 2, ceil_mode=True), nn.AvgPool2d(2), nn.AdaptiveAvgPool2d((3, 5))),
    "padding": (nn.ReflectionPad2d((3, 1, 2, 4)), conv(3), nn.ReplicationPad2d(2), conv(3), nn.ZeroPad2d((-2, 3, 1, -1))),
    "crops": (conv(3), Lambda(lambda x: x[..., 2:-3, 1::2]), Lambda(lambda x: x[:, :, 1:]), conv(3)),
    "sums": (conv(3), Lambda(lambda x: x + F.avg_pool2d(x, 5, 1, 2)), Lambda(lambda x: x * x.mean((2, 3), keepdim=True))),
    "concatenation": (
        Lambda(lambda x: torch.cat([x, F.pad(x, [0, 0, 4, 0])[..., :-4, :]], 1)),
        Lambda(lambda x: x.sum(1, keepdim=True)),
    ),
    "tokens": (conv(3, stride=2), Lambda(tokens_and_back), conv(3), Lambda(channels_last_and_back)),
    "stacked": (Lambda(lambda x: torch.stack([x, F.avg_pool2d(x, 3, 1, 1)]).sum(0)), Lambda(lambda x: x[:, 0].unsqueeze(1))),
}


def make_positive(model: nn.Module) -> nn.Module:
    """With positive weights and without a maximum, every pixel that can matter has a gradient."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(1 / max(1, parameter[0].numel()))
    return model.double().eval()


def measured(model: nn.Module, size: Size, stage: Stage) -> dict[tuple[int, int], tuple[int, ...] | None]:
    """For some positions of a stage: the first and last row and column whose gradient is not zero; None if all are."""
    kept: dict[str, Tensor] = {}
    handle = model.get_submodule(stage.module).register_forward_hook(lambda _m, _i, out: kept.update(out=first_tensor(out)))
    image = torch.ones(1, 1, *size, dtype=torch.double, requires_grad=True)
    model(image)
    handle.remove()
    height, width = kept["out"].shape[-2:]
    boxes: dict[tuple[int, int], tuple[int, ...] | None] = {}
    for y, x in product({0, height // 3, height // 2, height - 1}, {0, width // 2, min(width // 2 + 1, width - 1), width - 1}):
        (gradient,) = torch.autograd.grad(kept["out"][..., y, x].sum(), image, retain_graph=True)
        seen = gradient[0].abs().sum(0) > 0
        rows, columns = seen.any(1).nonzero().flatten().tolist(), seen.any(0).nonzero().flatten().tolist()
        boxes[y, x] = (rows[0], rows[-1], columns[0], columns[-1]) if rows else None
    return boxes


def assert_exact(model: nn.Module, size: Size) -> None:
    found = views(model, size, 1)
    for stage in model.stages():  # type: ignore[operator]
        rows, columns = found[stage.name].rows, found[stage.name].columns
        for (y, x), box in measured(model, size, stage).items():
            expected = (rows.first[y], rows.last[y], columns.first[x], columns.last[x])
            if box is None:
                assert expected[0] > expected[1] or expected[2] > expected[3], f"{stage.name} at {y}, {x} sees only padding"
            else:
                assert box == expected, f"{stage.name} at {y}, {x}"


@pytest.mark.parametrize("layers", LAYERS.values(), ids=LAYERS)
def test_layers_see_what_their_gradients_reach(layers: tuple[nn.Module, ...]) -> None:
    assert_exact(make_positive(Layers(*layers)), (33, 40))


def test_what_cannot_be_followed_is_taken_for_everything() -> None:
    tokens = Lambda(lambda x: x.flatten(2).transpose(1, 2).softmax(1).transpose(1, 2).unflatten(2, x.shape[2:]))
    view = views(Layers(conv(3, stride=2, padding=1), tokens), (32, 40), 1)["1"]
    assert len(view.rows) == 16
    assert (view.rows.first.max(), view.rows.last.min(), view.columns.first.max(), view.columns.last.min()) == (0, 31, 0, 39)


PLAIN = {"normalization": "none", "width": 2, "in_channels": 1}
SMALL_NETWORKS: dict[str, tuple[str, dict[str, Any], Size]] = {
    "unet": ("unet", {"pooling": "average", "depth": 3}, (43, 56)),
    "unet, bilinear": ("unet", {"pooling": "average", "depth": 2, "upsampling": "bilinear"}, (41, 32)),
    "unet, valid": ("unet", {"padding": "valid", "depth": 2, "pooling": "average"}, (60, 68)),
    "unet_plus_plus": ("unet_plus_plus", {"depth": 2}, (33, 40)),
    "unet3_plus": ("unet3_plus", {}, (48, 64)),
    "fcn8s": ("fcn8s", {"padding": "same", "classifier_width": 2}, (70, 96)),
    "dilatednet": ("dilatednet", {"classifier_width": 2, "padding": "same"}, (48, 57)),
    "autoencoder": ("autoencoder", {"latent": 2, "depth": 2}, (30, 41)),
}


@pytest.mark.parametrize(("name", "options", "size"), SMALL_NETWORKS.values(), ids=SMALL_NETWORKS)
def test_networks_see_what_their_gradients_reach(
    name: str, options: dict[str, Any], size: Size, monkeypatch: pytest.MonkeyPatch
) -> None:
    def averaged(x: Tensor, kernel: int, ceil_mode: bool = False) -> Tensor:
        return F.avg_pool2d(x, kernel, ceil_mode=ceil_mode)

    monkeypatch.setattr(F, "max_pool2d", averaged)
    model = create_model(name, num_classes=2, **{**PLAIN, **options})
    for parent in list(model.modules()):
        for key, child in parent.named_children():
            if isinstance(child, nn.MaxPool2d):
                setattr(parent, key, nn.AvgPool2d(child.kernel_size, child.stride, ceil_mode=child.ceil_mode))  # type: ignore[arg-type]
    assert_exact(make_positive(model), size)

"""segdemo.features.placement: maps lie where kernels are centred, fields are the published ones, and doubt is admitted."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from segdemo.features.placement import Placement, Rect, placements
from segdemo.models import create_model
from segdemo.models.backbones import Grid, create_backbone
from segdemo.models.blocks import ConvStyle

from .layered import Lambda, Layers

pytestmark = pytest.mark.usefixtures("one_thread")


def placed(name: str, size: tuple[int, int], **options: Any) -> dict[str, Placement]:
    with torch.device("meta"):
        return placements(create_model(name, num_classes=2, **options), size, 3)


def conv(kernel: int, **options: Any) -> nn.Conv2d:
    layer = nn.Conv2d(1, 1, kernel, bias=False, **options)
    nn.init.constant_(layer.weight, 1 / kernel**2)
    return layer


# The padded U-Net


def test_every_map_of_a_padded_unet_covers_the_picture() -> None:
    for name, place in placed("unet", (320, 352)).items():
        assert place.extent == Rect(0, 0, 320, 352), name
        assert place.kind == "exact"
        assert place.size == (320, 352)
        height, width = place.shape
        step = 320 // height
        np.testing.assert_allclose(place.row_centre, (np.arange(height) + 0.5) * step)
        np.testing.assert_allclose(place.column_centre, (np.arange(width) + 0.5) * step)


def test_fields_of_a_padded_unet() -> None:
    places = placed("unet", (320, 352))
    assert places["encoder1"].field(10, 20) == Rect(8, 18, 13, 23), "two convolutions of 3×3"
    assert places["encoder1"].field(0, 351) == Rect(0, 349, 3, 352), "clipped at the corner"
    bottleneck = places["bottleneck"]
    field = bottleneck.field(10, 11)
    assert (field.height, field.width) == (140, 140)
    assert bottleneck.centre(10, 11) == (168, 184)
    assert (field.top + field.bottom) / 2 == 168 and (field.left + field.right) / 2 == 184
    assert bottleneck.away_from_border is not None and bottleneck.away_from_border.size == 140
    assert bottleneck.field(0, 0) == Rect(0, 0, 78, 78)


def test_a_pixel_finds_its_position() -> None:
    places = placed("unet", (64, 64))
    assert places["encoder1"].position_at(37, 5) == (37, 5)
    assert places["encoder3"].position_at(37, 5) == (9, 1)
    assert places["bottleneck"].position_at(63, 0) == (3, 0)


# Other borders


def test_the_papers_unet_answers_for_the_inner_388_pixels() -> None:
    places = placed("unet", (572, 572), padding="valid")
    assert places["head"].shape == (388, 388)
    assert places["head"].extent == Rect(92, 92, 480, 480)
    assert places["encoder1"].extent == Rect(2, 2, 570, 570)
    assert places["bottleneck"].shape == (28, 28)
    assert places["bottleneck"].extent == Rect(62, 62, 510, 510)
    assert places["head"].position_at(286, 300) == (194, 208)
    assert places["head"].position_at(0, 571) == (0, 387), "the nearest, where none lies on the pixel"
    assert {p.kind for p in places.values()} == {"exact"}


def test_fcn_lies_on_the_grids_that_its_crops_come_from() -> None:
    with torch.device("meta"):
        model = create_model("fcn8s", num_classes=21, backbone="vgg16")
        grids = create_backbone("vgg16", 3, 64, 100, ConvStyle(normalization="none")).grids
    places = placements(model, (500, 375), 3)
    deep = grids[-1].through(7, 1, 0)
    expected: dict[str, Grid] = {f"encoder{i + 1}": grid for i, grid in enumerate(grids)}
    expected |= {"bottleneck": deep, "decoder3": deep}
    expected |= {"decoder2": model.decoder[1].grid, "decoder1": model.decoder[2].grid}  # type: ignore[index, union-attr, dict-item]
    for name, grid in expected.items():
        assert places[name].centre(0, 0) == (grid.start + 0.5, grid.start + 0.5), name
        assert places[name].row_centre[1] - places[name].row_centre[0] == grid.stride
    assert places["encoder1"].extent.top == -99, "100 pixels of padding less one of the first convolution"
    assert places["head"].extent == Rect(0, 0, 500, 375)


def test_fc7_and_the_score_of_fcn_see_404_pixels() -> None:
    places = placed("fcn32s", (800, 800))
    for stage in ("bottleneck", "decoder1"):
        field = places[stage].away_from_border
        assert field is not None and (field.size, field.stride) == (404, 32)
        middle = places[stage].shape[0] // 2
        rect = places[stage].field(middle, middle)
        assert (rect.height, rect.width) == (404, 404)
        assert places[stage].kind == "exact"


@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("vgg16", [6, 16, 44, 100, 212]),
        ("vgg19", [6, 16, 52, 124, 268]),
        ("alexnet", [19, 67, 195]),
        ("resnet18", [7, 43, 99, 211, 435]),
    ],
)
def test_published_fields_of_classification_networks(name: str, sizes: list[int]) -> None:
    """VGG after each pooling; the deepest ones as in Araujo, Norris, Sim, Distill 2019, doi:10.23915/distill.00021."""
    places = list(placed(name, (224, 224)).values())[:-1]
    assert [p.away_from_border.size for p in places if p.away_from_border] == sizes


def test_a_vector_has_one_position_that_sees_everything() -> None:
    head = placed("vgg16", (224, 224))["head"]
    assert head.shape == (1, 1)
    assert head.field(0, 0) == Rect(0, 0, 224, 224)
    assert head.position_at(3, 200) == (0, 0)
    assert head.kind == "exact"


def test_what_sees_only_padding_has_an_empty_field() -> None:
    encoder = placed("fcn32s", (96, 96))["encoder1"]
    corner = encoder.field(0, 0)
    assert (corner.height, corner.width) == (0, 0)
    assert (corner.top, corner.left) == encoder.centre(0, 0) == (-98, -98)


def test_a_window_network_answers_every_fourth_pixel() -> None:
    head = placed("mnist_cnn", (64, 80))["head"]
    assert head.shape == (10, 14)
    assert head.centre(0, 0) == (14, 14), "the middle of 28 × 28"
    assert head.extent == Rect(12, 12, 52, 68)


# Where positions lie


CENTRES: dict[str, tuple[nn.Module, ...]] = {
    "strides, dilation, padding": (conv(3, stride=2, padding=1), conv(3, dilation=3, padding=2), conv(2), conv(5, stride=3)),
    "poolings": (nn.AvgPool2d(3, 2), conv(3), nn.AvgPool2d(2, ceil_mode=True)),
    "padding by hand": (nn.ZeroPad2d((5, 1, 2, 4)), conv(3), nn.ReflectionPad2d((3, 0, 1, 0)), nn.ZeroPad2d((-4, 0, -2, 0))),
    "crops": (conv(3), Lambda(lambda x: x[..., 4:, 1::2]), conv(2)),
    "enlarged by 2": (conv(4, stride=4), nn.ConvTranspose2d(1, 1, 4, 2, 1, bias=False)),
    "bilinear": (conv(4, stride=4), nn.Upsample(scale_factor=2, mode="bilinear")),
    "bilinear, corners": (conv(4, stride=4), nn.UpsamplingBilinear2d(scale_factor=2)),
    "nearest": (conv(4, stride=4), nn.Upsample(scale_factor=2)),
}  # fmt: skip


@pytest.mark.parametrize("layers", CENTRES.values(), ids=CENTRES)
def test_positions_lie_at_the_centre_of_what_moves_them(layers: tuple[nn.Module, ...]) -> None:
    """Kernels of equal weights are balanced, so the gradient's centre of mass is the position's place.

    Where the resolution is doubled, that holds for two neighbours together.
    """
    model = Layers(*layers).double()
    for parameter in model.parameters():
        nn.init.ones_(parameter)
    image = torch.ones(1, 1, 96, 104, dtype=torch.double, requires_grad=True)
    place = placements(model, (96, 104), 1)[str(len(layers) - 1)]
    logits = model(image)
    y, x = place.shape[0] // 2, place.shape[1] // 2
    pair = logits[..., y - y % 2 : y - y % 2 + 2, x - x % 2 : x - x % 2 + 2]
    (mass,) = torch.autograd.grad(pair.sum(), image)
    mass = mass[0, 0] / mass.sum()
    centre = (mass.sum(1) @ (torch.arange(96).double() + 0.5)).item(), (mass.sum(0) @ (torch.arange(104).double() + 0.5)).item()
    assert place.row_centre[y - y % 2 : y - y % 2 + 2].mean() == pytest.approx(centre[0])
    assert place.column_centre[x - x % 2 : x - x % 2 + 2].mean() == pytest.approx(centre[1])


def test_pooling_back_lies_on_the_pixels_that_were_pooled() -> None:
    for size in ((64, 96), (45, 61)):
        places = placed("segnet", size, width=2)
        np.testing.assert_allclose(places["decoder1"].row_centre, np.arange(size[0]) + 0.5)
        np.testing.assert_allclose(places["decoder2"].row_centre, places["encoder2"].row_centre)
        np.testing.assert_allclose(places["decoder5"].column_centre, places["bottleneck"].column_centre)


def test_a_join_lies_where_its_sharper_part_lies() -> None:
    """A strided convolution is centred on every second pixel, and enlarging takes no notice of that: the skip decides."""
    places = placed("nnunet", (256, 256), width=2)
    assert places["encoder4"].extent == Rect(-3.5, -3.5, 252.5, 252.5)
    for level in range(1, 8):
        assert places[f"decoder{level}"].extent == places[f"encoder{level}"].extent


def test_a_map_as_large_as_the_picture_lies_on_it_pixel_for_pixel() -> None:
    places = placed("autoencoder", (64, 64), width=2)
    assert places["decoder2"].extent.top == -3.5
    assert places["head"].extent == Rect(0, 0, 64, 64)
    assert places["head"].position_at(7, 63) == (7, 63)


# Certainty


def test_a_normalisation_by_the_whole_map_is_admitted() -> None:
    assert {p.kind for p in placed("nnunet", (64, 64), width=2, depth=3).values()} == {"convolutions only"}
    model = Layers(conv(3), nn.GroupNorm(1, 1), conv(3))
    assert [p.kind for p in placements(model, (32, 32), 1).values()] == ["exact", "convolutions only", "convolutions only"]
    fixed = Layers(nn.InstanceNorm2d(1, track_running_stats=True), nn.BatchNorm2d(1, track_running_stats=False))
    assert [p.kind for p in placements(fixed, (32, 32), 1).values()] == ["exact", "convolutions only"]
    one_size = placements(Layers(nn.LayerNorm([1, 32, 32])), (32, 32), 1)["0"]
    assert one_size.kind == "convolutions only"
    assert one_size.away_from_border is None, "it takes no picture that is large enough to tell"


def test_what_pools_everything_sees_everything_exactly() -> None:
    places = placed("lraspp_mobilenet_v3_large", (128, 160))
    assert places["encoder2"].field(10, 10).height < 128
    for stage in ("encoder3", "bottleneck", "head"):
        assert places[stage].kind == "exact", stage
        assert places[stage].field(3, 3) == Rect(0, 0, 128, 160), "squeeze and excitation"
        assert places[stage].away_from_border is not None and places[stage].away_from_border.whole
    assert places["encoder3"].extent == Rect(-3.5, -3.5, 124.5, 156.5), "and yet its positions lie in rows and columns"


def attention(x: Tensor) -> Tensor:
    tokens = x.flatten(2).transpose(1, 2)
    return x + ((tokens @ tokens.transpose(1, 2)).softmax(dim=2) @ tokens).transpose(1, 2).reshape(x.shape)


def per_token(x: Tensor) -> Tensor:
    return nn.functional.layer_norm(x.flatten(2).transpose(1, 2), [1]).transpose(1, 2).reshape(x.shape)


@pytest.mark.parametrize(
    ("layer", "kind", "whole"),
    [
        (attention, "exact", True),
        (per_token, "exact", False),
        (lambda x: x.roll(3, dims=2), "upper bound", True),
        (lambda x: x.mean(3, keepdim=True) + x, "upper bound", True),
        (lambda x: x.reshape(1, 1, 16, 2, 16, 2).transpose(3, 4).reshape(1, 4, 16, 16), "upper bound", True),
    ],
    ids=["attention", "tokens alone", "rolled", "strips", "windows"],
)
def test_what_is_not_followed_is_an_upper_bound(layer: Callable[[Tensor], Tensor], kind: str, whole: bool) -> None:
    places = placements(Layers(conv(3, padding=1), Lambda(layer), Lambda(abs)).to("meta"), (32, 32), 1)
    assert places["0"].kind == "exact"
    for name in ("1", "2"):
        assert places[name].kind == kind
        assert (places[name].field(8, 8) == Rect(0, 0, 32, 32)) == whole


def test_nobody_can_change_what_is_shared() -> None:
    place = placed("unet", (32, 32), width=2)["bottleneck"]
    with pytest.raises(ValueError, match="read-only"):
        place.row_first[0] = 5
    with pytest.raises(ValueError, match="read-only"):
        place.column_centre[0] = 5

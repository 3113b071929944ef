"""Classification networks without their classifier, cut where the resolution halves: the encoders of FCN and DilatedNet.

VGG and AlexNet are written out here, because the segmentation papers change their padding, pooling and width; ResNet is
torchvision's. Each backbone knows the grid of every block: where in the picture its first cell is centred, and how many
pixels lie between two cells. FCN needs that to lay maps of different depth exactly over each other.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from torch import nn
from torchvision import models

from segdemo.errors import SettingError
from segdemo.models.blocks import ConvStyle, conv_unit, replace_stem
from segdemo.text import _

__all__ = ["BACKBONES", "Backbone", "Grid", "convolutional_classifier", "create_backbone", "grid_after", "vgg_block"]

VGG_CONVOLUTIONS = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}
RESNETS = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152")
BACKBONES = (*VGG_CONVOLUTIONS, "alexnet", *RESNETS)


@dataclass(frozen=True)
class Grid:
    """The centre of a map's first cell and the distance of its cells, in pixels of the picture."""

    start: float = 0.0
    stride: int = 1

    def through(self, kernel: int, stride: int, padding: int, dilation: int = 1) -> "Grid":
        """The grid after a convolution or pooling with these settings."""
        return Grid(self.start + self.stride * ((kernel - 1) * dilation / 2 - padding), self.stride * stride)


@dataclass(frozen=True)
class Backbone:
    """Blocks in order, each with the channels and the grid of its output. The last one is at stride 32."""

    blocks: list[nn.Module]
    channels: list[int]
    grids: list[Grid]
    classifier_kernel: int | None  # of the first fully connected layer read as a convolution; ResNet has none


def create_backbone(name: str, in_channels: int, width: int, first_padding: int, conv: ConvStyle) -> Backbone:
    """`first_padding` pads the picture before the first convolution. Raises SettingError for a name that does not exist."""
    if name in VGG_CONVOLUTIONS:
        return _vgg(name, in_channels, width, first_padding, conv)
    if name == "alexnet":
        return _alexnet(in_channels, width, first_padding)
    if name in RESNETS:
        return _resnet(name, in_channels, width)
    raise SettingError(_('There is no backbone "{name}". These exist: {names}.', name=name, names=", ".join(BACKBONES)))


def vgg_block(channels: Iterable[int], conv: ConvStyle, *, pooled: bool = True, dilation: int = 1) -> nn.Sequential:
    """3×3 convolutions from each number of channels to the next; then a 2×2 pooling that rounds sizes up, as Caffe's."""
    widths = list(channels)
    layers = [layer for i, o in pairwise(widths) for layer in conv_unit(i, o, conv, dilation=dilation)]
    return nn.Sequential(*layers, *([nn.MaxPool2d(2, ceil_mode=True)] if pooled else []))


def convolutional_classifier(channels: int, width: int, kernel: int, *, dilation: int = 1, padded: bool) -> nn.Sequential:
    """fc6 and fc7 of a classification network as convolutions, with its dropout: (N, channels, h, w) → (N, width, …)."""
    fc6 = nn.Conv2d(channels, width, kernel, padding=dilation * (kernel // 2) if padded else 0, dilation=dilation)
    fc7 = nn.Conv2d(width, width, 1)
    for layer in (fc6, fc7):
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    return nn.Sequential(fc6, nn.ReLU(inplace=True), nn.Dropout2d(), fc7, nn.ReLU(inplace=True), nn.Dropout2d())


def _vgg(name: str, in_channels: int, width: int, first_padding: int, conv: ConvStyle) -> Backbone:
    channels = [width * factor for factor in (1, 2, 4, 8, 8)]
    ins = [in_channels, *channels]
    blocks: list[nn.Module] = [
        vgg_block([i] + [out] * n, conv) for i, out, n in zip(ins, channels, VGG_CONVOLUTIONS[name], strict=False)
    ]
    _pad_first(blocks[0], first_padding)
    return Backbone(blocks, channels, _grids(blocks), classifier_kernel=7)


def _alexnet(in_channels: int, width: int, first_padding: int) -> Backbone:
    """torchvision's AlexNet; its three last convolutions share a block."""
    a, b, c, d = (width * factor for factor in (1, 3, 6, 4))  # 64, 192, 384, 256
    blocks: list[nn.Module] = [
        nn.Sequential(nn.Conv2d(in_channels, a, 11, 4, first_padding), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, ceil_mode=True)),
        nn.Sequential(nn.Conv2d(a, b, 5, padding=2), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, ceil_mode=True)),
        nn.Sequential(
            nn.Conv2d(b, c, 3, padding=1), nn.ReLU(inplace=True), nn.Conv2d(c, d, 3, padding=1), nn.ReLU(inplace=True),
            nn.Conv2d(d, d, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, ceil_mode=True),
        ),
    ]  # fmt: skip
    return Backbone(blocks, [a, b, d], _grids(blocks), classifier_kernel=6)


def _resnet(name: str, in_channels: int, width: int) -> Backbone:
    if width != 64:
        raise SettingError(_("The width of a ResNet backbone is 64; got {width}.", width=width))
    net = getattr(models, name)(weights=None)
    if in_channels != 3:
        replace_stem(net, in_channels)
    blocks: list[nn.Module] = [
        nn.Sequential(net.conv1, net.bn1, net.relu),
        nn.Sequential(net.maxpool, net.layer1),
        net.layer2, net.layer3, net.layer4,
    ]  # fmt: skip
    deep = net.fc.in_features  # 512 with plain residual blocks, 2048 with bottleneck blocks
    # Every convolution that strides is padded by half its kernel, so that cells stay centred on the picture's first pixel.
    return Backbone(blocks, [64, *(deep // 2**i for i in (3, 2, 1, 0))], [Grid(0, 2 << i) for i in range(5)], None)


def _pad_first(block: nn.Module, padding: int) -> None:
    first = next(m for m in block.modules() if isinstance(m, nn.Conv2d))
    if padding > first.kernel_size[0] // 2:
        first.padding_mode = "zeros"  # the paper's wide border is one of zeros, whatever the other convolutions do
        first.padding = (padding, padding)


def _grids(blocks: list[nn.Module]) -> list[Grid]:
    grids = []
    grid = Grid()
    for block in blocks:
        for layer in block.modules():
            grid = grid_after(layer, grid)
        grids.append(grid)
    return grids


def grid_after(layer: nn.Module, grid: Grid) -> Grid:
    """The grid of a layer's output; layers other than convolution and pooling keep it."""
    if isinstance(layer, nn.Conv2d | nn.MaxPool2d):
        return grid.through(*(_number(v) for v in (layer.kernel_size, layer.stride, layer.padding, layer.dilation)))
    return grid


def _number(value: Any) -> int:
    return int(value[0]) if isinstance(value, tuple) else int(value)

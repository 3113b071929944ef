"""The small parts that the networks are built from: a convolution with what follows it, two in a row, and a way to double
the resolution. `ConvStyle` holds the options that all our networks share."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segdemo.errors import SettingError
from segdemo.text import _
from segdemo.types import UpsamplingStep

__all__ = [
    "Activation", "ConvStyle", "Normalization", "PaddingKind", "PaddingMode", "Pooling", "UpsamplingKind",
    "check_choice", "check_width", "conv_unit", "double_conv", "fit_size", "join", "match_size", "pool", "replace_stem",
    "upsample", "upsampled_channels", "upsampling_step",
]  # fmt: skip

PaddingKind = Literal["same", "valid"]
PaddingMode = Literal["zeros", "reflect", "replicate", "circular"]
UpsamplingKind = Literal["transposed", "bilinear", "bilinear_conv", "bilinear_wide"]
Normalization = Literal["batch", "instance", "none"]
Activation = Literal["relu", "leaky_relu", "elu", "gelu"]
Pooling = Literal["max", "average"]

KEEPS_CHANNELS: tuple[UpsamplingKind, ...] = ("bilinear", "bilinear_wide")
ACTIVATIONS: dict[str, Any] = {
    "relu": lambda: nn.ReLU(inplace=True),
    "leaky_relu": lambda: nn.LeakyReLU(0.01, inplace=True),
    "elu": lambda: nn.ELU(inplace=True),
    "gelu": nn.GELU,
}


@dataclass(frozen=True)
class ConvStyle:
    """What stands around each convolution. Raises SettingError for a value that does not exist.

    `bias` None means: only where no normalisation brings its own. `dropout` is the share of channels that training
    drops after each convolution. `norm_after_activation` swaps the usual order, normalise and then activate.
    """

    normalization: Normalization = "batch"
    activation: Activation = "relu"
    dropout: float = 0.0
    padding: PaddingKind = "same"
    padding_mode: PaddingMode = "zeros"
    bias: bool | None = None
    norm_after_activation: bool = False

    def __post_init__(self) -> None:
        check_choice("normalization", self.normalization, get_args(Normalization))
        check_choice("activation", self.activation, get_args(Activation))
        check_choice("padding", self.padding, get_args(PaddingKind))
        check_choice("padding_mode", self.padding_mode, get_args(PaddingMode))
        if not 0 <= self.dropout < 1:
            raise SettingError(_("dropout is a share from 0 up to, not including, 1; got {dropout}.", dropout=self.dropout))


def check_choice(option: str, value: object, choices: tuple[object, ...]) -> None:
    """Raise SettingError where an option has none of its values."""
    if value not in choices:
        listed = ", ".join(f'"{choice}"' for choice in choices)
        raise SettingError(_('{option} is one of {choices}; got "{value}".', option=option, choices=listed, value=value))


def check_width(width: int, depth: int = 1, *, even: bool = False, deepest: int = 7) -> None:
    """Raise SettingError for channels or a number of poolings that no network can have."""
    if width < 1 or (even and width % 2):
        raise SettingError(_("width must be a positive number, even with bilinear upsampling; got {width}.", width=width))
    if not 1 <= depth <= deepest:
        raise SettingError(_("depth must lie between 1 and {deepest}; got {depth}.", deepest=deepest, depth=depth))


def conv_unit(
    in_channels: int, out_channels: int, style: ConvStyle, *, kernel: int = 3, stride: int = 1, dilation: int = 1
) -> list[nn.Module]:
    """Convolution, normalisation, activation, dropout: (N, in, H, W) → (N, out, H/stride, W/stride) with padding "same"."""
    pad = dilation * (kernel // 2) if style.padding == "same" else 0
    bias = style.normalization == "none" if style.bias is None else style.bias
    conv = nn.Conv2d(
        in_channels, out_channels, kernel, stride, pad, dilation, bias=bias,
        padding_mode=style.padding_mode if pad else "zeros",
    )  # fmt: skip
    norm: list[nn.Module] = []
    if style.normalization == "none":
        nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")  # keeps the signal's size through many layers
    else:
        layer = nn.BatchNorm2d if style.normalization == "batch" else nn.InstanceNorm2d
        norm = [layer(out_channels, affine=True)]
    activation: list[nn.Module] = [ACTIVATIONS[style.activation]()]
    dropout: list[nn.Module] = [nn.Dropout2d(style.dropout)] if style.dropout else []
    return [conv, *(activation + norm if style.norm_after_activation else norm + activation), *dropout]


def double_conv(in_channels: int, out_channels: int, style: ConvStyle, *, mid_channels: int | None = None) -> nn.Sequential:
    """(N, in, H, W) → (N, out, H, W) with padding "same", (N, out, H-4, W-4) with "valid"."""
    mid = mid_channels or out_channels
    return nn.Sequential(*conv_unit(in_channels, mid, style), *conv_unit(mid, out_channels, style))


def pool(x: Tensor, kind: Pooling) -> Tensor:
    """Halve height and width: the largest or the mean of each 2×2."""
    return F.max_pool2d(x, 2) if kind == "max" else F.avg_pool2d(x, 2)


def upsample(in_channels: int, kind: UpsamplingKind, out_channels: int | None = None) -> nn.Module:
    """Double height and width.

    "transposed" learns a 2×2 kernel and changes the channels to `out_channels` (half of them, if not given);
    "bilinear" and "bilinear_wide" keep them (what differs is the widths that a U-Net chooses below them);
    "bilinear_conv" is bilinear, then a 1×1 convolution to `out_channels`.
    """
    out = out_channels or in_channels // 2
    if kind == "transposed":
        return nn.ConvTranspose2d(in_channels, out, 2, stride=2)
    if kind in KEEPS_CHANNELS:
        return nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
    return nn.Sequential(nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False), nn.Conv2d(in_channels, out, 1))


def upsampled_channels(in_channels: int, kind: UpsamplingKind, out_channels: int) -> int:
    """How many channels `upsample` gives."""
    return in_channels if kind in KEEPS_CHANNELS else out_channels


def upsampling_step(kind: UpsamplingKind) -> UpsamplingStep:
    """What a stage says about an option."""
    return "transposed" if kind == "transposed" else "bilinear"


def match_size(skip: Tensor, upsampled: Tensor, padding: PaddingKind) -> tuple[Tensor, Tensor]:
    """Bring a skip (N, C, H, W) and the upsampled map (N, D, h, w) to one size, so that they can be joined.

    "valid" crops the centre of the larger skip, as published. "same" pads or crops the upsampled map, which is at
    most one pixel off where an odd size was halved.
    """
    if padding == "valid":
        top, left = (skip.shape[-2] - upsampled.shape[-2]) // 2, (skip.shape[-1] - upsampled.shape[-1]) // 2
        return skip[..., top : top + upsampled.shape[-2], left : left + upsampled.shape[-1]], upsampled
    return skip, fit_size(upsampled, skip)


def fit_size(upsampled: Tensor, like: Tensor) -> Tensor:
    """The upsampled map (N, D, h, w) padded or cropped at the bottom and the right to the height and width of `like`."""
    down, right = like.shape[-2] - upsampled.shape[-2], like.shape[-1] - upsampled.shape[-1]
    # Negative numbers crop: the last row or column lies beyond the picture.
    return F.pad(upsampled, [0, right, 0, down]) if down or right else upsampled


def join(skip: Tensor, upsampled: Tensor, padding: PaddingKind) -> Tensor:
    """Concatenate a skip and the upsampled map along the channels: (N, C + D, h, w)."""
    return torch.cat(match_size(skip, upsampled, padding), dim=1)


def replace_stem(net: nn.Module, in_channels: int) -> None:
    """Give a network's first convolution another number of input channels, in place."""
    name, stem = next((n, m) for n, m in net.named_modules() if isinstance(m, nn.Conv2d))
    kernel, stride, padding = stem.kernel_size, stem.stride, stem.padding
    new = nn.Conv2d(in_channels, stem.out_channels, kernel, stride, padding, bias=stem.bias is not None)  # type: ignore[arg-type]
    net.get_submodule(name.rpartition(".")[0]).add_module(name.rpartition(".")[2], new)

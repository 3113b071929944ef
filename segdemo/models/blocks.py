"""The small parts that the networks are built from: two convolutions in a row, and a way to double the resolution."""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["Normalization", "PaddingKind", "UpsamplingKind", "conv_norm_act", "double_conv", "join", "match_size", "upsample"]

PaddingKind = Literal["same", "valid"]
UpsamplingKind = Literal["transposed", "bilinear"]
Normalization = Literal["batch", "none"]


def conv_norm_act(in_channels: int, out_channels: int, padding: PaddingKind, normalization: Normalization) -> list[nn.Module]:
    """3×3 convolution, normalisation, ReLU. The convolution has no bias where the normalisation brings its own."""
    batch_norm = normalization == "batch"
    conv = nn.Conv2d(in_channels, out_channels, 3, padding=1 if padding == "same" else 0, bias=not batch_norm)
    norm: list[nn.Module] = [nn.BatchNorm2d(out_channels)] if batch_norm else []
    return [conv, *norm, nn.ReLU(inplace=True)]


def double_conv(
    in_channels: int,
    out_channels: int,
    *,
    mid_channels: int | None = None,
    padding: PaddingKind = "same",
    normalization: Normalization = "batch",
) -> nn.Sequential:
    """(N, in, H, W) → (N, out, H, W) with padding "same", (N, out, H-4, W-4) with "valid"."""
    mid = mid_channels or out_channels
    return nn.Sequential(
        *conv_norm_act(in_channels, mid, padding, normalization),
        *conv_norm_act(mid, out_channels, padding, normalization),
    )


def upsample(in_channels: int, kind: UpsamplingKind) -> nn.Module:
    """Double height and width. "transposed" learns a 2×2 kernel and halves the channels; "bilinear" keeps them."""
    if kind == "transposed":
        return nn.ConvTranspose2d(in_channels, in_channels // 2, 2, stride=2)
    return nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)


def match_size(skip: Tensor, upsampled: Tensor, padding: PaddingKind) -> tuple[Tensor, Tensor]:
    """Bring a skip (N, C, H, W) and the upsampled map (N, D, h, w) to one size, so that they can be joined.

    "valid" crops the centre of the larger skip, as published. "same" pads the upsampled map, which is at most one
    pixel short where an odd size was halved.
    """
    down, right = skip.shape[-2] - upsampled.shape[-2], skip.shape[-1] - upsampled.shape[-1]
    if padding == "valid":
        top, left = down // 2, right // 2
        return skip[..., top : top + upsampled.shape[-2], left : left + upsampled.shape[-1]], upsampled
    if down or right:
        upsampled = F.pad(upsampled, [right // 2, right - right // 2, down // 2, down - down // 2])
    return skip, upsampled


def join(skip: Tensor, upsampled: Tensor, padding: PaddingKind) -> Tensor:
    """Concatenate a skip and the upsampled map along the channels: (N, C + D, h, w)."""
    return torch.cat(match_size(skip, upsampled, padding), dim=1)

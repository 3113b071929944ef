"""pytorch-unet (github.com/jvanvugt/pytorch-unet): U-Net with average pooling, and batch normalisation after the ReLU.

    down_path.0 … down_path.N ─ up_path.0 … up_path.N-1 ─ last

Its decoder joins (upsampled, skip). Whether it was trained with padded convolutions does not show in the weights; here
they are padded, so that the logits have the picture's size.
"""

import re
from dataclasses import replace

from segdemo.text import N_
from segdemo.types import Notice
from segdemo.weights.layouts.base import UNIT_RANGE, Layout, Reading, Shapes, numbers

__all__ = ["JVANVUGT"]

PADDING = Notice(
    N_("This project also trains without padding, which weights do not show. If these were, say so, or the border is less sure.")
)


def _read(shapes: Shapes) -> Reading:
    depth = len(numbers(shapes, r"down_path\.(\d+)\.")) - 1
    width, in_channels = shapes["down_path.0.block.0.weight"][:2]
    batch_norm = "down_path.0.block.2.running_mean" in shapes
    with_conv = "up_path.0.up.1.weight" in shapes
    modules = {"last": "segmentation_head"}
    for level in range(depth + 1):
        modules |= _block(f"down_path.{level}.block", f"encoder.{level}" if level < depth else "bottleneck")
    for place in range(depth):
        modules |= _block(f"up_path.{place}.conv_block.block", f"decoder.{place}")
        modules |= {f"up_path.{place}.up": f"upsample.{place}", f"up_path.{place}.up.1": f"upsample.{place}.1"}
    options = {
        "in_channels": in_channels,
        "num_classes": shapes["last.weight"][0],
        "width": width,
        "depth": depth,
        "upsampling": "bilinear_conv" if with_conv else "transposed",
        "pooling": "average",
        "normalization": "batch" if batch_norm else "none",
        "norm_after_activation": batch_norm,
        "bias": True,
    }
    swapped = frozenset(f"decoder.{place}.0" for place in range(depth))
    return Reading("unet", options, modules, swapped, (), replace(UNIT_RANGE, multiple_of=2**depth), (PADDING,))


def _block(theirs: str, ours: str) -> dict[str, str]:
    """With and without normalisation, the layers stand in the same places as in ours."""
    return {f"{theirs}.{place}": f"{ours}.{place}" for place in (0, 2, 3, 5)}


JVANVUGT = Layout(
    "jvanvugt",
    "pytorch-unet (jvanvugt)",
    ("down_path.0.block.0.weight", "up_path.0.conv_block.block.0.weight", "last.weight"),
    re.compile(r"down_path\.\d+\.block\.[0235]\.|up_path\.\d+\.(up\.|conv_block\.block\.[0235]\.)|last\."),
    _read,
)

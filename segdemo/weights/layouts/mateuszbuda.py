"""brain-segmentation-pytorch (github.com/mateuszbuda/brain-segmentation-pytorch), also on PyTorch Hub: U-Net of width 32.

    encoder1.enc1conv1 … encoder4 ─ bottleneck ─ upconv4, decoder4 … upconv1, decoder1.dec1conv2 ─ conv

Its decoder joins (upsampled, skip). Its training normalises each channel of a whole brain scan; a single picture's own
mean and standard deviation come closest.
"""

import re

from segdemo.types import Preprocessing
from segdemo.weights.layouts.base import Layout, Reading, Shapes, double_conv, numbers

__all__ = ["MATEUSZBUDA"]


def _read(shapes: Shapes) -> Reading:
    depth = len(numbers(shapes, r"encoder(\d+)\."))
    width, in_channels = shapes["encoder1.enc1conv1.weight"][:2]
    modules = _double("bottleneck.bottleneck", "bottleneck") | {"conv": "segmentation_head"}
    for level in range(1, depth + 1):
        modules |= _double(f"encoder{level}.enc{level}", f"encoder.{level - 1}")
        modules |= _double(f"decoder{level}.dec{level}", f"decoder.{depth - level}")
        modules[f"upconv{level}"] = f"upsample.{depth - level}"
    return Reading(
        "unet",
        {"in_channels": in_channels, "num_classes": shapes["conv.weight"][0], "width": width, "depth": depth},
        modules,
        upsampled_first=frozenset(f"decoder.{place}.0" for place in range(depth)),
        preprocessing=Preprocessing("per-channel", short_side=256, multiple_of=2**depth),
    )


def _double(theirs: str, ours: str) -> dict[str, str]:
    return double_conv((f"{theirs}conv1", f"{theirs}norm1", f"{theirs}conv2", f"{theirs}norm2"), ours)


MATEUSZBUDA = Layout(
    "mateuszbuda",
    "brain-segmentation-pytorch (mateuszbuda)",
    ("encoder1.enc1conv1.weight", "bottleneck.bottleneckconv1.weight", "decoder1.dec1conv1.weight"),
    re.compile(r"(encoder(\d)\.enc\2|decoder(\d)\.dec\3|bottleneck\.bottleneck)(conv|norm)[12]\.|upconv\d\.|conv\."),
    _read,
)

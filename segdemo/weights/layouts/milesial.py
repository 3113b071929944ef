"""Pytorch-UNet (github.com/milesial/Pytorch-UNet): U-Net with padding and batch normalisation, the most copied of all.

inc ─ down1 ─ down2 ─ down3 ─ down4 ─ up1 ─ up2 ─ up3 ─ up4 ─ outc    (each but the last with a double_conv)
"""

import re
from dataclasses import replace

from segdemo.weights.layouts.base import UNIT_RANGE, Layout, Reading, Shapes, double_conv, numbers

__all__ = ["MILESIAL"]


def _read(shapes: Shapes) -> Reading:
    depth = len(numbers(shapes, r"down(\d+)\."))
    width, in_channels = shapes["inc.double_conv.0.weight"][:2]
    modules = _double("inc", "encoder.0") | {"outc.conv": "segmentation_head"}
    for level in range(1, depth + 1):
        modules |= _double(f"down{level}.maxpool_conv.1", f"encoder.{level}" if level < depth else "bottleneck")
        modules |= _double(f"up{level}.conv", f"decoder.{level - 1}") | {f"up{level}.up": f"upsample.{level - 1}"}
    options = {
        "in_channels": in_channels,
        "num_classes": shapes["outc.conv.weight"][0],
        "width": width,
        "depth": depth,
        "upsampling": "transposed" if "up1.up.weight" in shapes else "bilinear",
    }
    return Reading("unet", options, modules, preprocessing=replace(UNIT_RANGE, multiple_of=2**depth))


def _double(theirs: str, ours: str) -> dict[str, str]:
    first, norm1, second, norm2 = (f"{theirs}.double_conv.{place}" for place in (0, 1, 3, 4))
    return double_conv((first, norm1, second, norm2), ours)


MILESIAL = Layout(
    "milesial",
    "Pytorch-UNet (milesial)",
    ("inc.double_conv.0.weight", "down1.maxpool_conv.1.double_conv.0.weight", "up1.conv.double_conv.0.weight"),
    re.compile(r"(inc|down\d+\.maxpool_conv\.1|up\d+\.conv)\.double_conv\.[0134]\.|up\d+\.up\.|outc\.conv\."),
    _read,
)

"""UNet-Version (github.com/ZJUGiveLab/UNet-Version): U-Net 3+, plain, deeply supervised, or classification-guided.

    conv1 … conv5, h1_PT_hd4_conv … hd5_UT_hd4_conv, conv4d_1 … conv1d_1, outconv1 (… outconv5), cls

The classifier of the guided network is left out: in the released training it learns nothing, so its weights are as
random as at the start, and the segmentation is better without them.
"""

import re
from dataclasses import replace

from segdemo.text import N_
from segdemo.types import Notice
from segdemo.weights.layouts.base import UNIT_RANGE, Layout, Reading, Shapes

__all__ = ["UNET3_PLUS"]

SCALES = range(1, 6)
NO_CLASSIFIER = Notice(N_("The classifier that switches classes off was left out: in this project's training it learns nothing."))


def _read(shapes: Shapes) -> Reading:
    width, in_channels = shapes["conv1.conv1.0.weight"][:2]
    modules = {"outconv1": "segmentation_head"} | {f"outconv{scale}": f"side_heads.{5 - scale}" for scale in range(2, 6)}
    for scale in SCALES:
        block = f"encoder.{scale - 1}" if scale < 5 else "bottleneck"
        modules |= {f"conv{scale}.conv{n}.{part}": f"{block}.{3 * (n - 1) + part}" for n in (1, 2) for part in (0, 1)}
    for place, level in enumerate((4, 3, 2, 1)):
        for scale in SCALES:
            modules |= _pair(_part(scale, level), f"parts.{place}.{scale - 1}")
        modules |= {f"conv{level}d_1": f"decoder.{place}.0", f"bn{level}d_1": f"decoder.{place}.1"}
    options = {
        "in_channels": in_channels,
        "num_classes": shapes["outconv1.weight"][0],
        "width": width,
        "deep_supervision": "outconv5.weight" in shapes,
    }
    notes = (NO_CLASSIFIER,) if "cls.1.weight" in shapes else ()
    preprocessing = replace(UNIT_RANGE, multiple_of=16)
    return Reading("unet3_plus", options, modules, dropped=("cls.",), preprocessing=preprocessing, notes=notes)


def _part(scale: int, level: int) -> str:
    """The branch that brings a scale to a decoder level: pooled, as it is, or upsampled."""
    if scale < level:
        return f"h{scale}_PT_hd{level}"
    return f"h{scale}_Cat_hd{level}" if scale == level else f"hd{scale}_UT_hd{level}"


def _pair(theirs: str, ours: str) -> dict[str, str]:
    return {f"{theirs}_conv": f"{ours}.0", f"{theirs}_bn": f"{ours}.1"}


UNET3_PLUS = Layout(
    "unet3_plus",
    "UNet-Version, U-Net 3+ (ZJUGiveLab)",
    ("conv1.conv1.0.weight", "h1_PT_hd4_conv.weight", "hd5_UT_hd4_conv.weight", "outconv1.weight"),
    re.compile(r"conv[1-5]\.conv[12]\.[01]\.|hd?[1-5]_(PT|Cat|UT)_hd[1-4]_(conv|bn)\.|(conv|bn)[1-4]d_1\.|outconv[1-5]\.|cls\."),
    _read,
)

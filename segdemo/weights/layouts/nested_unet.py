"""pytorch-nested-unet (github.com/4uiiurz1/pytorch-nested-unet): U-Net++ with bilinear upsampling and batch normalisation.

    conv0_0 … conv4_0, conv0_1 … conv0_4 (each conv1, bn1, conv2, bn2), final or final1 … final4

Its plain U-Net has only the first column and the diagonal: conv0_0 … conv4_0, conv3_1, conv2_2, conv1_3, conv0_4, final.
Its training reads pictures with OpenCV (blue first), normalises them as for ImageNet, and then divides by 255 again.
"""

import re
from dataclasses import replace

from segdemo.text import N_
from segdemo.types import Notice, Preprocessing
from segdemo.weights.layouts.base import Layout, Reading, Shapes, double_conv, numbers

__all__ = ["NESTED_UNET", "UNET_OF_NESTED_UNET"]

TWICE = Notice(N_("This project's training divides by 255 twice and has blue first; that is what was guessed here."))
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD_TIMES_255 = (58.395, 57.12, 57.375)
PREPROCESSING = Preprocessing("fixed", IMAGENET_MEAN, IMAGENET_STD_TIMES_255, channel_order="bgr")


def _read(shapes: Shapes) -> Reading:
    depth = max(numbers(shapes, r"conv(\d+)_0\."))
    width, in_channels = shapes["conv0_0.conv1.weight"][:2]
    supervised = "final1.weight" in shapes
    heads = range(1, depth + 1) if supervised else [depth]
    modules = {f"final{column}" if supervised else "final": f"heads.head{column}" for column in heads}
    for level in range(depth + 1):
        for column in range(depth + 1 - level):
            modules |= _node(level, column, f"nodes.x{level}_{column}")
    options = {
        "in_channels": in_channels,
        "num_classes": shapes[f"final{depth}.weight" if supervised else "final.weight"][0],
        "width": width,
        "depth": depth,
        "deep_supervision": supervised,
        "upsampling": "bilinear",
        "normalization": "batch",
    }
    preprocessing = replace(PREPROCESSING, multiple_of=2**depth)
    return Reading("unet_plus_plus", options, modules, preprocessing=preprocessing, notes=(TWICE,))


def _read_unet(shapes: Shapes) -> Reading:
    depth = max(numbers(shapes, r"conv(\d+)_0\."))
    width, in_channels = shapes["conv0_0.conv1.weight"][:2]
    modules = {"final": "segmentation_head"} | _node(depth, 0, "bottleneck")
    for level in range(depth):
        modules |= _node(level, 0, f"encoder.{level}") | _node(level, depth - level, f"decoder.{depth - 1 - level}")
    options = {
        "in_channels": in_channels, "num_classes": shapes["final.weight"][0], "width": width, "depth": depth,
        "upsampling": "bilinear_wide",
    }  # fmt: skip
    return Reading("unet", options, modules, preprocessing=replace(PREPROCESSING, multiple_of=2**depth), notes=(TWICE,))


def _node(level: int, column: int, ours: str) -> dict[str, str]:
    node = f"conv{level}_{column}"
    return double_conv((f"{node}.conv1", f"{node}.bn1", f"{node}.conv2", f"{node}.bn2"), ours)


NESTED_UNET = Layout(
    "nested_unet",
    "pytorch-nested-unet (4uiiurz1)",
    ("conv0_0.conv1.weight", "conv0_0.bn1.weight", "conv0_1.conv1.weight"),
    re.compile(r"conv\d_\d\.(conv|bn)[12]\.|final\d?\."),
    _read,
)

UNET_OF_NESTED_UNET = Layout(
    "unet_of_nested_unet",
    "pytorch-nested-unet's plain U-Net (4uiiurz1)",
    ("conv0_0.conv1.weight", "conv1_0.bn1.weight", "final.weight"),
    re.compile(r"conv(\d_0|0_4|1_3|2_2|3_1)\.(conv|bn)[12]\.|final\."),
    _read_unet,
)

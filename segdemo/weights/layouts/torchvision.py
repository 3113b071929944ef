"""torchvision's segmentation networks: FCN and DeepLabV3 on ResNet, DeepLabV3 and LR-ASPP on MobileNetV3.

Our networks are torchvision's, so the names are the same; only the auxiliary classifier is left out.
"""

import re
from dataclasses import replace

from segdemo.types import Preprocessing
from segdemo.weights.layouts.base import GREY_IMAGENET, Layout, Reading, Shapes, numbers

__all__ = ["TORCHVISION"]

RESNETS = {6: "resnet50", 23: "resnet101"}  # by the blocks of their third layer


def _read(shapes: Shapes) -> Reading:
    mobilenet = "backbone.0.0.weight" in shapes
    in_channels = shapes["backbone.0.0.weight" if mobilenet else "backbone.conv1.weight"][1]
    preprocessing = GREY_IMAGENET if in_channels == 1 else Preprocessing()
    if "classifier.cbr.0.weight" in shapes:
        model, head = "lraspp_mobilenet_v3_large", "classifier.low_classifier.weight"
    else:
        backbone = "mobilenet_v3_large" if mobilenet else RESNETS[len(numbers(shapes, r"backbone\.layer3\.(\d+)\."))]
        model = f"{'deeplabv3' if 'classifier.0.project.0.weight' in shapes else 'fcn'}_{backbone}"
        head = "classifier.4.weight"
    return Reading(
        model,
        {"in_channels": in_channels, "num_classes": shapes[head][0]},
        dropped=("aux_classifier.",),
        # As torchvision measures its scores.
        preprocessing=replace(preprocessing, short_side=520, max_pixels=1_100_000, multiple_of=8),
    )


class _Torchvision(Layout):
    def recognises(self, shapes: Shapes) -> bool:
        """A backbone and a classifier; which ones, they say themselves."""
        names = ("backbone.conv1.weight", "backbone.0.0.weight"), ("classifier.4.weight", "classifier.cbr.0.weight")
        return all(any(name in shapes for name in either) for either in names)


TORCHVISION = _Torchvision(
    "torchvision",
    "torchvision",
    (),
    re.compile(r"backbone\.(conv1|bn1|layer[1-4]|\d+)\.|classifier\.([0-4]|cbr|scale|low_classifier|high_classifier)\.|aux_"),
    _read,
)

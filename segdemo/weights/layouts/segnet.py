"""SegNet (github.com/vinceecws/SegNet_PyTorch): 13 + 13 convolutions with batch normalisation.

ConvEn11, BNEn11 … ConvEn53, BNEn53 ─ ConvDe53, BNDe53 … ConvDe12, BNDe12 ─ ConvDe11
"""

import re
from dataclasses import replace

from segdemo.weights.layouts.base import UNIT_RANGE, Layout, Reading, Shapes

__all__ = ["SEGNET"]

CONVOLUTIONS = {1: 2, 2: 2, 3: 3, 4: 3, 5: 3}  # of each block


def _read(shapes: Shapes) -> Reading:
    width, in_channels = shapes["ConvEn11.weight"][:2]
    modules = {"ConvDe11": "segmentation_head"}
    for block, count in CONVOLUTIONS.items():
        encoder, decoder = f"encoder.{block - 1}" if block < 5 else "bottleneck", f"decoder.{5 - block}"
        for n in range(count):
            modules |= {f"ConvEn{block}{n + 1}": f"{encoder}.{3 * n}", f"BNEn{block}{n + 1}": f"{encoder}.{3 * n + 1}"}
            number = f"{block}{count - n}"  # the decoder counts backwards
            if number != "11":
                modules |= {f"ConvDe{number}": f"{decoder}.{3 * n}", f"BNDe{number}": f"{decoder}.{3 * n + 1}"}
    options = {"in_channels": in_channels, "num_classes": shapes["ConvDe11.weight"][0], "width": width}
    # The last convolution stands bare, though the project also declares a normalisation for it.
    return Reading("segnet", options, modules, dropped=("BNDe11.",), preprocessing=replace(UNIT_RANGE, multiple_of=32))


SEGNET = Layout(
    "segnet",
    "SegNet_PyTorch (vinceecws)",
    ("ConvEn11.weight", "ConvEn53.weight", "ConvDe11.weight"),
    re.compile(r"(Conv|BN)(En|De)[1-5][1-3]\."),
    _read,
)

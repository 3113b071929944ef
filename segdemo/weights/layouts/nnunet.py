"""nnU-Net (github.com/MIC-DKFZ/nnUNet, version 2): its plain convolutional U-Net in two dimensions.

    encoder.stages.S.0.convs.C.{conv,norm}, decoder.transpconvs.S, decoder.stages.S.convs.C.{conv,norm}, decoder.seg_layers.S

The file lists the encoder a second time within the decoder. Its training gives every channel mean 0 and standard
deviation 1 for each picture by itself, unless the data were declared as natural photographs.
"""

import re

from segdemo.types import Preprocessing
from segdemo.weights.layouts.base import Layout, Reading, Shapes, numbers

__all__ = ["NNUNET"]

FIRST = "encoder.stages.0.0.convs.0.conv.weight"


def _read(shapes: Shapes) -> Reading:
    depth = len(numbers(shapes, r"encoder\.stages\.(\d+)\."))
    convolutions = len(numbers(shapes, r"encoder\.stages\.0\.0\.convs\.(\d+)\."))
    width, in_channels = shapes[FIRST][:2]
    modules: dict[str, str] = {}
    for place in range(depth):
        ours = f"encoder.{place}" if place < depth - 1 else "bottleneck"
        modules |= _stage(f"encoder.stages.{place}.0", ours, convolutions)
        modules |= _stage(f"decoder.stages.{place}", f"decoder.{place}", convolutions)
        modules |= {f"decoder.transpconvs.{place}": f"upsample.{place}", f"decoder.seg_layers.{place}": f"heads.{place}"}
    options = {
        "in_channels": in_channels,
        "num_classes": shapes["decoder.seg_layers.0.weight"][0],
        "width": width,
        "max_width": max(shape[0] for name, shape in shapes.items() if name.endswith(".conv.weight")),
        "depth": depth,
        "convolutions": convolutions,
    }
    # Twice what the depth needs: instance normalisation has nothing to compare where one number is left at the bottom.
    preprocessing = Preprocessing("per-channel", multiple_of=2**depth)
    return Reading("nnunet", options, modules, dropped=("decoder.encoder.",), preprocessing=preprocessing)


def _stage(theirs: str, ours: str, convolutions: int) -> dict[str, str]:
    return {
        f"{theirs}.convs.{n}.{part}": f"{ours}.{3 * n + place}"
        for n in range(convolutions)
        for place, part in enumerate(("conv", "norm"))
    }


NNUNET = Layout(
    "nnunet",
    "nnU-Net, plain U-Net (MIC-DKFZ)",
    (FIRST, "decoder.transpconvs.0.weight", "decoder.seg_layers.0.weight"),
    re.compile(
        r"(decoder\.)?(encoder\.stages\.\d+\.0|decoder\.stages\.\d+)\.convs\.|decoder\.(transpconvs|seg_layers|encoder)\."
    ),
    _read,
)

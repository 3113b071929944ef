"""pytorch-fcn (github.com/wkentaro/pytorch-fcn): FCN-32s, 16s and 8s on VGG16 with Caffe's pictures, blue first, 0–255.

    conv1_1 … conv5_3 ─ fc6 ─ fc7 ─ score_fr, score_pool4, score_pool3 ─ upscore2, upscore_pool4 ─ upscore{,16,8}

Its FCN-8s and FCN-8s-at-once have the same names; the latter multiplies the scores of the skips by 0.01 and 0.0001.
"""

import re

from segdemo.text import N_
from segdemo.types import Notice, Preprocessing
from segdemo.weights.layouts.base import Layout, Reading, Shapes

__all__ = ["PYTORCH_FCN"]

CONVOLUTIONS = {1: 2, 2: 2, 3: 3, 4: 3, 5: 3}  # of each block of VGG16
CAFFE_MEAN = (104.00699, 116.66877, 122.67892)  # blue, green, red, of bytes
CAFFE = Preprocessing(mean=CAFFE_MEAN, std=(1.0, 1.0, 1.0), multiple_of=32, channel_order="bgr", value_range=255)
AT_ONCE = Notice(N_("FCN-8s-at-once has the same names: if these weights are its, the result is wrong at borders of objects."))


def _read(shapes: Shapes) -> Reading:
    width, in_channels = shapes["conv1_1.weight"][:2]
    stride = 8 if "score_pool3.weight" in shapes else 16 if "score_pool4.weight" in shapes else 32
    modules = {
        f"conv{block}_{n + 1}": f"encoder.{block - 1}.{2 * n}" for block, count in CONVOLUTIONS.items() for n in range(count)
    }
    modules |= {"fc6": "bottleneck.0", "fc7": "bottleneck.3", "score_fr": "decoder.0"}
    modules |= {"score_pool4": "decoder.1.score", "upscore2": "decoder.1.up.deconvolution"}
    modules |= {"score_pool3": "decoder.2.score", "upscore_pool4": "decoder.2.up.deconvolution"}
    modules["upscore" if stride == 32 else f"upscore{stride}"] = "segmentation_head.deconvolution"
    options = {
        "in_channels": in_channels,
        "num_classes": shapes["score_fr.weight"][0],
        "width": width,
        "classifier_width": shapes["fc6.weight"][0],
    }
    notes = (AT_ONCE,) if stride == 8 else ()
    return Reading(f"fcn{stride}s", options, modules, preprocessing=CAFFE, notes=notes)


PYTORCH_FCN = Layout(
    "pytorch_fcn",
    "pytorch-fcn (wkentaro)",
    ("conv1_1.weight", "conv5_3.weight", "fc6.weight", "score_fr.weight"),
    re.compile(r"conv[1-5]_[1-3]\.|fc[67]\.|score_(fr|pool[34])\.|upscore(_pool4|2|8|16)?\."),
    _read,
)

"""torchvision's published segmentation weights as catalogue entries: fetched on request, not part of this package.

Address, classes, scores and size come from torchvision's own `WeightsEnum`. The parameters are counted without the
auxiliary classifier that only training uses, so they are fewer than torchvision's figure.
"""

from pathlib import PurePosixPath
from urllib.parse import urlsplit

from torchvision.models import WeightsEnum, get_model_weights

from segdemo.types import ClassInfo, Preprocessing, WeightsEntry
from segdemo.weights.palette import VOC_COLORS

__all__ = ["torchvision_entries"]

PARAMS = {
    "lraspp_mobilenet_v3_large": 3_221_538,
    "deeplabv3_mobilenet_v3_large": 11_025_477,
    "fcn_resnet50": 32_957_013,
    "deeplabv3_resnet50": 39_638_869,
    "fcn_resnet101": 51_949_141,
    "deeplabv3_resnet101": 58_630_997,
}

# Where VOC runs two words together, or shortens them.
READABLE_NAMES = {
    "__background__": "background",
    "diningtable": "dining table",
    "pottedplant": "potted plant",
    "tvmonitor": "TV monitor",
}

# torchvision evaluates with a short side of 520; 1.1 million pixels allow an aspect ratio of 4 : 1 at that size.
# The networks bring their logits to the input's size themselves, so any multiple works; 8 is the stride of most.
PREPROCESSING = Preprocessing(short_side=520, max_pixels=1_100_000, multiple_of=8)

# Title and description stay in English here: the catalogue outlives a visitor's language, the page translates them.
TITLE = "COCO photographs, VOC classes"
TRAINED_ON = "Everyday photographs with people, animals, vehicles and furniture (COCO, 20 VOC classes)"
LICENCE = "BSD-3-Clause (weights), trained on COCO images"


def torchvision_entries() -> list[WeightsEntry]:
    """One entry per network of torchvision, from the smallest download to the largest."""
    return sorted((_entry(model) for model in PARAMS), key=lambda entry: entry.size_bytes)


def _entry(model: str) -> WeightsEntry:
    weights = get_model_weights(model)["COCO_WITH_VOC_LABELS_V1"]
    meta = weights.meta
    return WeightsEntry(
        weights_id=f"{model}/coco-voc",
        model=model,
        options={"num_classes": len(meta["categories"])},
        classes=tuple(ClassInfo(READABLE_NAMES.get(name, name), VOC_COLORS[name]) for name in meta["categories"]),
        preprocessing=PREPROCESSING,
        title=TITLE,
        trained_on=TRAINED_ON,
        licence=LICENCE,
        params=PARAMS[model],
        sha256=_known_hash(weights),
        size_bytes=round(meta["_file_size"] * 2**20),  # given in MiB with three decimals: right to about 500 bytes
        score=meta["_metrics"]["COCO-val2017-VOC-labels"]["miou"] / 100,
        score_name="mean IoU",
        url=weights.url,
        card={"source": meta["recipe"], "scores": meta["_metrics"]},
    )


def _known_hash(weights: WeightsEnum) -> str:
    """The first 8 hexadecimal digits of the SHA-256, from the file's name: all that torchvision publishes."""
    return PurePosixPath(urlsplit(weights.url).path).stem.rpartition("-")[2]

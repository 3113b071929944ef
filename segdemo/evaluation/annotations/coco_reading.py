"""Label maps out of COCO JSON: what `write_coco` wrote, and the files of other tools.

Run-length codes, compressed or as a list of lengths, and polygons. Files come from strangers: every number is looked at
before it is used.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from segdemo.data.images import MAX_PIXELS
from segdemo.errors import ImageError
from segdemo.evaluation.annotations.filling import paint
from segdemo.evaluation.annotations.rle import decompressed, runs_inside
from segdemo.text import _
from segdemo.types import IGNORE_INDEX, ClassInfo, LabelMap, Size

__all__ = ["labels_from_coco"]

Document = Mapping[str, Any]


def _size(document: Document, image_id: int) -> Size:
    """(height, width) of a picture. Raises ImageError where there is none of this number, or none of this size."""
    for image in document["images"]:
        if image["id"] == image_id:
            height, width = int(image["height"]), int(image["width"])
            if min(height, width) < 1 or height * width > MAX_PIXELS:
                raise ImageError(_("No picture has {width}×{height} pixels.", width=width, height=height))
            return height, width
    raise ImageError(_("This COCO file has no picture number {number}.", number=image_id))


def _label_of(document: Document, classes: Sequence[ClassInfo] | None) -> dict[int, int]:
    """Category number → label: its class of the same name, or without classes the number itself."""
    index_of = {info.name: index for index, info in enumerate(classes or ())}
    names = {int(category["id"]): category["name"] for category in document["categories"]}
    if classes is None:
        return {number: number for number in names if 0 <= number < IGNORE_INDEX}
    return {number: index_of[name] for number, name in names.items() if name in index_of}


def _paint_polygons(columns: LabelMap, parts: Sequence[Sequence[float]], value: int) -> None:
    """Draws polygons x, y, x, y, … into a label map turned on its diagonal (W, H)."""
    rings = [np.array([float(number) for number in part], np.float64).reshape(-1, 2)[:, ::-1] for part in parts]
    if not all(np.isfinite(ring).all() for ring in rings):
        raise ImageError(_("This COCO file has polygons whose corners are not numbers."))
    paint([(value, [ring]) for ring in rings], columns)


def _paint_runs(columns: LabelMap, code: Mapping[str, Any], value: int) -> None:
    """Draws a run-length code into a label map turned on its diagonal (W, H), which is the order of its runs."""
    if tuple(code["size"]) != columns.shape[::-1]:
        raise ImageError(_("The run-length code of a mask does not have the size of its picture."))
    counts = code["counts"]
    pixels = columns.reshape(-1)
    for begin, end in runs_inside(decompressed(counts) if isinstance(counts, str) else counts, columns.size).tolist():
        pixels[begin:end] = value


def _labels(document: Document, image_id: int, classes: Sequence[ClassInfo] | None, background: int) -> LabelMap:
    height, width = _size(document, image_id)
    label_of = _label_of(document, classes)
    columns = np.full((width, height), background, np.uint8)
    for annotation in document["annotations"]:
        if annotation["image_id"] != image_id:
            continue
        category, segmentation = annotation["category_id"], annotation["segmentation"]
        if category not in label_of:
            raise ImageError(_("This COCO file has objects of category {number}, which is none of the classes.", number=category))
        if isinstance(segmentation, list):
            _paint_polygons(columns, segmentation, label_of[category])
        else:
            _paint_runs(columns, segmentation, label_of[category])
    return np.ascontiguousarray(columns.T)


def labels_from_coco(
    document: str | Document, image_id: int, classes: Sequence[ClassInfo] | None = None, background: int = 0
) -> LabelMap:
    """The label map (H, W) of one picture of a COCO file, given as text or, to read many of its pictures, as parsed JSON.

    With `classes`, categories are the classes of the same names; without, labels are the category numbers. Later
    annotations lie over earlier ones; what none covers is `background`. What `write_coco` wrote comes back exactly, but for
    pixels that count nowhere. Raises ImageError.
    """
    try:
        return _labels(json.loads(document) if isinstance(document, str) else document, image_id, classes, background)
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise ImageError(_("This is not a COCO file with segmentations.")) from error

"""How a prediction compares with a known truth: scores, and where each kind of error lies."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from segdemo.errors import ImageError
from segdemo.geometry import Size
from segdemo.metrics import confusion_matrix, dice_per_class, iou_per_class, precision, recall
from segdemo.text import _
from segdemo.types import IGNORE_INDEX, ClassInfo, LabelMap, Prediction

__all__ = ["ERROR_KINDS", "ClassScores", "check_target", "compare", "error_labels", "error_map", "overlap"]


@dataclass(frozen=True)
class ClassScores:
    """Scores of one class over all pixels of the picture, 0–1, NaN where there is nothing to score."""

    name: str
    dice: float
    iou: float
    precision: float
    recall: float


def compare(prediction: Prediction, target: LabelMap) -> list[ClassScores]:
    """Scores of every class that the picture or the prediction holds, background left out.

    target: (H, W), 255 is ignored. Raises ImageError where it has another size, or classes the network does not know.
    """
    check_target(prediction.size, prediction.classes, target)
    matrix = confusion_matrix(prediction.preds, target, len(prediction.classes), IGNORE_INDEX)
    columns = zip(dice_per_class(matrix), iou_per_class(matrix), precision(matrix), recall(matrix), strict=True)
    rows = [ClassScores(c.name, *map(float, v)) for c, v in zip(prediction.classes, columns, strict=True)]
    return [row for row in rows[1:] if not np.isnan(row.iou)]


def check_target(size: Size, classes: Sequence[ClassInfo], target: LabelMap) -> None:
    """Raise ImageError, with a sentence, where a mask does not fit a picture of that size and a network of those classes."""
    if target.shape != size:
        (height, width), (own_height, own_width) = target.shape, size
        raise ImageError(
            _(
                "It has {w} × {h} pixels and the picture {W} × {H}; they must be equal.",
                w=width,
                h=height,
                W=own_width,
                H=own_height,
            )
        )
    known = len(classes) - 1
    occurs = np.bincount(target.ravel(), minlength=256) > 0
    if (unknown := np.flatnonzero(occurs[known + 1 : IGNORE_INDEX])).size:
        number = int(unknown[0]) + known + 1
        raise ImageError(
            _(
                "It holds class {n}, and this network knows 0 to {last}. For two classes, 0 and 255 work as well.",
                n=number,
                last=known,
            )
        )


def error_map(prediction: Prediction, target: LabelMap) -> LabelMap:
    """(H, W) indices into ERROR_KINDS: where the prediction is right, and which way it is wrong."""
    check_target(prediction.size, prediction.classes, target)
    return error_labels(prediction.preds, target)


def error_labels(preds: LabelMap, target: LabelMap) -> LabelMap:
    """(H, W) indices into ERROR_KINDS of two label maps of the same classes; ignored pixels count as right background."""
    result = np.zeros(preds.shape, np.uint8)
    result[(preds > 0) & (preds == target)] = 1
    result[(preds > 0) & (target == 0)] = 2
    result[(preds == 0) & (target > 0)] = 3
    result[(preds > 0) & (target > 0) & (preds != target)] = 4
    result[target == IGNORE_INDEX] = 0
    return result


# Blue, orange and purple of Okabe and Ito: told apart with every common colour-vision deficiency.
ERROR_KINDS = (
    ClassInfo("background, right", (0, 0, 0)),
    ClassInfo("found (TP)", (86, 180, 233)),
    ClassInfo("false alarm (FP)", (230, 159, 0)),
    ClassInfo("missed (FN)", (204, 121, 167)),
    ClassInfo("wrong class", (240, 228, 66)),
)


def overlap(preds: LabelMap, target: LabelMap, classes: int) -> tuple[float, float]:
    """(Dice, IoU): of the foreground, or the mean over the foreground classes that occur. NaN where there are none."""
    matrix = confusion_matrix(preds, target, classes, IGNORE_INDEX)
    dice, iou = dice_per_class(matrix)[1:], iou_per_class(matrix)[1:]
    known = ~np.isnan(iou)
    return (float(dice[known].mean()), float(iou[known].mean())) if known.any() else (float("nan"), float("nan"))

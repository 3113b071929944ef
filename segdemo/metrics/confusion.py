"""One confusion matrix, and every score derived from it.

The matrix has the truth in its rows and the prediction in its columns. Summed over a data set it gives data-set-level
scores; a class with nothing to score (empty union) is NaN, never 0 or 1, and means skip it.
"""

import numpy as np
from numpy.typing import NDArray

from segdemo.errors import SettingError
from segdemo.metrics.counts import class_counts, mean_of_known, scores_of_counts

__all__ = [
    "confusion_matrix", "dice_per_class", "iou_per_class", "mean_iou", "pixel_accuracy", "precision", "recall",
]  # fmt: skip

Matrix = NDArray[np.int64]  # (C, C)
Scores = NDArray[np.float64]  # (C,)


def confusion_matrix(
    preds: NDArray[np.integer], target: NDArray[np.integer], num_classes: int, ignore_index: int = 255
) -> Matrix:
    """Pixel counts int64 (C, C): rows = target, columns = preds. Pixels with target `ignore_index` are dropped.

    preds, target: integer arrays (or CPU tensors) of one shape. Raises SettingError for other shapes or labels.
    """
    predicted, truth = np.asarray(preds), np.asarray(target)
    if predicted.shape != truth.shape:
        raise SettingError(f"preds {predicted.shape} and target {truth.shape} must have one shape.")
    if predicted.dtype.kind not in "biu" or truth.dtype.kind not in "biu":
        raise SettingError(f"Labels are whole numbers, not {predicted.dtype} and {truth.dtype}; take the argmax first.")
    valid = truth != ignore_index
    if valid.all():
        truth, predicted = truth.ravel(), predicted.ravel()
    else:
        truth, predicted = truth[valid], predicted[valid]
    for labels in (truth, predicted):
        if labels.size and (labels.min() < 0 or labels.max() >= num_classes):
            raise SettingError(f"Labels must lie between 0 and {num_classes - 1}; found {labels.min()} to {labels.max()}.")
    cells = truth.astype(np.int64) * num_classes + predicted.astype(np.int64)
    return np.bincount(cells, minlength=num_classes**2).reshape(num_classes, num_classes).astype(np.int64)


def iou_per_class(matrix: Matrix) -> Scores:
    """Intersection over union TP / (TP + FP + FN), (C,); NaN for an absent class that is not predicted either."""
    return scores_of_counts(class_counts(matrix))["iou"]


def dice_per_class(matrix: Matrix) -> Scores:
    """Dice 2TP / (2TP + FP + FN), (C,); NaN as for IoU."""
    return scores_of_counts(class_counts(matrix))["dice"]


def precision(matrix: Matrix) -> Scores:
    """TP / (TP + FP), (C,); NaN for a class that is never predicted."""
    return scores_of_counts(class_counts(matrix))["precision"]


def recall(matrix: Matrix) -> Scores:
    """TP / (TP + FN), (C,); NaN for a class that is absent."""
    return scores_of_counts(class_counts(matrix))["recall"]


def pixel_accuracy(matrix: Matrix) -> float:
    """Share of pixels that are labelled right; NaN for no pixels."""
    total = int(np.asarray(matrix).sum())
    return float(np.trace(matrix)) / total if total else float("nan")


def mean_iou(matrix: Matrix) -> float:
    """Mean of the IoU over the classes that can be scored, background included; NaN for none."""
    return float(mean_of_known(iou_per_class(matrix)))

"""TP, FP and FN, and the ratios of them that everybody calls a score.

Whatever is counted (a class's pixels, pixels above a threshold, objects), counts of pictures add up, and a ratio with
nothing below its line is undefined: NaN, never 0 or 1.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["class_counts", "foreground_score", "mean_of_known", "ratio", "scores_of_counts"]

Counts = NDArray[np.int64]  # (…, 3): TP, FP, FN
Scores = NDArray[np.float64]


def class_counts(matrix: NDArray[np.integer]) -> Counts:
    """TP, FP, FN int64 (…, C, 3) of each class of confusion matrices (…, C, C) with the truth in their rows."""
    matrix = np.asarray(matrix)
    hits = np.diagonal(matrix, axis1=-2, axis2=-1)
    return np.stack([hits, matrix.sum(axis=-2) - hits, matrix.sum(axis=-1) - hits], axis=-1).astype(np.int64)


def scores_of_counts(counts: NDArray[np.number]) -> dict[str, Scores]:
    """Four scores, 0–1, of counts (…, 3) = TP, FP, FN; each (…), and NaN where there is nothing to divide by.

    "dice" 2TP / (2TP + FP + FN), the F1 score; "iou" TP / (TP + FP + FN), the Jaccard index; "precision" TP / (TP + FP);
    "recall" TP / (TP + FN).
    """
    tp, fp, fn = np.moveaxis(np.asarray(counts), -1, 0)
    return {
        "dice": ratio(2 * tp, 2 * tp + fp + fn), "iou": ratio(tp, tp + fp + fn), "precision": ratio(tp, tp + fp),
        "recall": ratio(tp, tp + fn),
    }  # fmt: skip


def foreground_score(counts: NDArray[np.number], score: str = "iou") -> Scores:
    """One of these scores (…) of TP, FP, FN (…, C, 3): the mean over the foreground classes (not 0), those left out that have
    none; NaN where none has."""
    return mean_of_known(scores_of_counts(np.asarray(counts)[..., 1:, :])[score])


def ratio(above: NDArray[np.number], below: NDArray[np.number]) -> Scores:
    """above / below of one shape, NaN where `below` is not positive."""
    return np.asarray(np.divide(above, below, out=np.full(np.shape(above), np.nan), where=np.asarray(below) > 0))


def mean_of_known(values: Scores, axis: int = -1) -> Scores:
    """Mean along an axis over the values that are not NaN; NaN where there are none."""
    known = ~np.isnan(values)
    return ratio(np.where(known, values, 0.0).sum(axis=axis), known.sum(axis=axis))

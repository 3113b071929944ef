"""A threshold sweep: the counts of one class at many thresholds in one pass, and every score of them."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["sweep_scores", "threshold_counts"]

Counts = NDArray[np.int64]  # (T, 3): TP, FP, FN
Scores = NDArray[np.float64]  # (T,)


def threshold_counts(probs: NDArray[np.floating], truth: NDArray[np.bool_], thresholds: NDArray[np.float64]) -> Counts:
    """TP, FP, FN (T, 3) where a pixel is positive if its probability exceeds the threshold. Counts of pictures add up.

    probs, truth: any one shape, ignored pixels taken out. thresholds (T,) rise. They are compared in the type of `probs`,
    as a comparison with a plain number is.
    """
    flat, positive = np.asarray(probs).ravel(), np.asarray(truth).ravel()
    below = np.searchsorted(np.asarray(thresholds).astype(flat.dtype), flat, side="left")  # how many each exceeds
    tp, fp = (_exceeding(below[chosen], len(thresholds)) for chosen in (positive, ~positive))
    return np.stack([tp, fp, positive.sum() - tp], axis=1).astype(np.int64)


def _exceeding(below: NDArray[np.integer], count: int) -> NDArray[np.int64]:
    """For each threshold, how many values exceed it."""
    return np.bincount(below, minlength=count + 1)[::-1].cumsum()[::-1][1:].astype(np.int64)


def sweep_scores(counts: Counts) -> dict[str, Scores]:
    """ "dice", "iou", "precision" and "recall" (T,) of the counts; NaN where there is nothing to divide by."""
    tp, fp, fn = np.asarray(counts).T
    return {
        "dice": _ratio(2 * tp, 2 * tp + fp + fn), "iou": _ratio(tp, tp + fp + fn), "precision": _ratio(tp, tp + fp),
        "recall": _ratio(tp, tp + fn),
    }  # fmt: skip


def _ratio(above: NDArray[np.int64], below: NDArray[np.int64]) -> Scores:
    return np.asarray(np.divide(above, below, out=np.full(len(above), np.nan), where=below > 0))

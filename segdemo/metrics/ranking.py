"""Precision against recall over all thresholds, the area below that curve, and the threshold that scores best."""

import numpy as np
from numpy.typing import NDArray

from segdemo.metrics.conventions import ScoreName
from segdemo.metrics.counts import scores_of_counts

__all__ = ["average_precision", "best_threshold", "curve", "place_of_best"]

Counts = NDArray[np.int64]  # (T, 3): TP, FP, FN at rising thresholds, from `threshold_counts`
Scores = NDArray[np.float64]  # (T,)


def curve(counts: Counts) -> tuple[Scores, Scores]:
    """Precision and recall (T,), 0–1, at each threshold; NaN where nothing is predicted, or nothing is true."""
    scores = scores_of_counts(counts)
    return scores["precision"], scores["recall"]


def average_precision(counts: Counts) -> float:
    """Average precision, 0–1: each threshold's precision times what it adds to the recall of the next higher one.

    The sum over steps, without interpolation, of scikit-learn and of torchmetrics' BinaryAveragePrecision with given
    thresholds: it starts at recall 0 above the highest threshold and ends at the recall of the lowest, so that thresholds
    that do not reach down to 0 leave the rest of the curve out. NaN where nothing is true.
    """
    precision, recall = curve(counts)
    gained = recall - np.append(recall[1:], 0.0)
    return float((gained * np.nan_to_num(precision)).sum())  # where nothing is predicted nothing is gained


def best_threshold(counts: Counts, thresholds: NDArray[np.float64], score: ScoreName = "iou") -> tuple[float, float]:
    """The threshold with the highest IoU or Dice, and that score; of equal ones the middle. (0.5, NaN) if none has any."""
    scores = scores_of_counts(counts)[score]
    chosen = place_of_best(scores)
    return (0.5, float("nan")) if chosen is None else (float(thresholds[chosen]), float(scores[chosen]))


def place_of_best(scores: Scores) -> int | None:
    """Where the highest of the scores (T,) stands; of equal ones the middle; None where all are NaN."""
    if np.isnan(scores).all():
        return None
    best = np.flatnonzero(scores >= np.nanmax(scores) - 1e-12)
    return int(best[len(best) // 2])

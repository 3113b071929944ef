"""A threshold sweep: the counts of one class at many thresholds in one pass."""

import numpy as np
from numpy.typing import NDArray

from segdemo.metrics.histograms import count_places, exceeded

__all__ = ["threshold_counts"]

Counts = NDArray[np.int64]  # (T, 3): TP, FP, FN


def threshold_counts(probs: NDArray[np.floating], truth: NDArray[np.bool_], thresholds: NDArray[np.float64]) -> Counts:
    """TP, FP, FN (T, 3) where a pixel is positive if its probability exceeds the threshold. Counts of pictures add up.

    probs, truth: any one shape, ignored pixels taken out. thresholds (T,) rise. They are compared in the type of `probs`,
    as a comparison with a plain number is.
    """
    flat, positive = np.asarray(probs).ravel(), np.asarray(truth, bool).ravel()
    places = exceeded(flat, np.asarray(thresholds).astype(flat.dtype))
    counted = count_places(places, positive, len(thresholds) + 1)
    fp, tp = counted[:, ::-1].cumsum(axis=1)[:, ::-1][:, 1:]  # of those that exceed at least 1, 2, … thresholds
    return np.stack([tp, fp, positive.sum() - tp], axis=1).astype(np.int64)

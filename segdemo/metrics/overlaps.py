"""Which objects of two instance maps overlap, and by how much: one histogram of pairs of labels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Overlaps", "overlaps"]


@dataclass(frozen=True, eq=False)
class Overlaps:
    """Two instance maps' objects, K true and L predicted; index 0 of each list of objects stands for none and never counts.

    true, pred, inner, iou (P,): each overlapping pair's labels, the pixels it shares, and its IoU. true_areas (K + 1,) and
    pred_areas (L + 1,): pixels that are not ignored. true_counts, pred_counts: whether the object is large enough to count.
    pred_judged: whether half of it or more is not ignored. best_of_true, best_of_pred: its best IoU.
    """

    true: NDArray[np.intp]
    pred: NDArray[np.intp]
    inner: NDArray[np.int64]
    iou: NDArray[np.float64]
    true_areas: NDArray[np.int64]
    pred_areas: NDArray[np.int64]
    true_counts: NDArray[np.bool_]
    pred_counts: NDArray[np.bool_]
    pred_judged: NDArray[np.bool_]
    best_of_true: NDArray[np.float64]
    best_of_pred: NDArray[np.float64]


def overlaps(
    preds: NDArray[np.integer], target: NDArray[np.integer], valid: NDArray[np.bool_] | None = None, min_pixels: int = 1
) -> Overlaps:
    """All pairs of objects that share a pixel, of instance maps (H, W) with 0 for none. See `instance_counts`."""
    pred_size, true_size = int(preds.max(initial=0)) + 1, int(target.max(initial=0)) + 1
    true, pred, inner = _pairs(preds, target, pred_size, true_size, valid)
    true_areas, pred_areas = (_sums(labels, inner, size) for labels, size in ((true, true_size), (pred, pred_size)))
    whole = pred_areas if valid is None or valid.all() else np.bincount(preds.ravel(), minlength=pred_size)
    true_counts, pred_counts = _large(true_areas, min_pixels), _large(pred_areas, min_pixels)
    chosen = true_counts[true] & pred_counts[pred]
    true, pred, inner = true[chosen], pred[chosen], inner[chosen]
    iou = inner / (true_areas[true] + pred_areas[pred] - inner)
    return Overlaps(
        true, pred, inner, iou, true_areas, pred_areas, true_counts, pred_counts, 2 * pred_areas >= whole,
        _best(true, iou, true_size), _best(pred, iou, pred_size),
    )  # fmt: skip


def _pairs(
    preds: NDArray[np.integer], target: NDArray[np.integer], pred_size: int, true_size: int, valid: NDArray[np.bool_] | None
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.int64]]:
    """Labels true (P,) and predicted (P,), "none" among them, and how many pixels have both."""
    cells = true_size * pred_size
    true, pred = ((labels.astype(np.int32) if cells < 2**31 else labels.astype(np.int64)) for labels in (target, preds))
    codes = (true * pred_size + pred).ravel()
    if valid is not None and not valid.all():
        codes = codes[valid.ravel()]
    if cells <= 4 * codes.size:
        table = np.bincount(codes, minlength=cells)
        keys = np.flatnonzero(table)
        counts = table[keys]
    else:  # crumbs upon crumbs: the table would be larger than the picture
        keys, counts = np.unique(codes, return_counts=True)
    of_true, of_pred = np.divmod(keys.astype(np.intp), pred_size)
    return of_true, of_pred, counts.astype(np.int64)


def _sums(labels: NDArray[np.intp], pixels: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    return np.bincount(labels, weights=pixels, minlength=size).astype(np.int64)  # exact below 2**53


def _large(areas: NDArray[np.int64], min_pixels: int) -> NDArray[np.bool_]:
    large = areas >= max(min_pixels, 1)
    large[0] = False
    return large


def _best(labels: NDArray[np.intp], iou: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    best = np.zeros(size)
    np.maximum.at(best, labels, iou)
    return best

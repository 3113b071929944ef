"""Boundary F1: how well the outlines of two label maps agree, where area scores hardly notice.

Csurka, Larlus, Perronnin, "What is a good evaluation measure for semantic segmentation?", BMVC 2013. A predicted
boundary pixel counts as right if a true one of the same class lies within a tolerance, and the other way round.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["boundary_counts", "boundary_f1"]

Counts = NDArray[np.int64]  # (C, 4): matched and all predicted boundary pixels, matched and all true ones


def boundary_counts(
    preds: NDArray[np.integer], target: NDArray[np.integer], num_classes: int, *, tolerance: float = 2.0, ignore_index: int = 255
) -> Counts:
    """Boundary pixels (C, 4) int64 per class of two label maps (H, W); sums over pictures give data-set scores.

    tolerance: pixels, straight-line distance. A class's boundary is its pixels with a 4-neighbour of another class; the
    picture's edge is none, and ignored pixels are background to both.
    """
    valid = np.asarray(target) != ignore_index
    rows = [_class_counts((preds == c) & valid, (target == c) & valid, tolerance) for c in range(num_classes)]
    return np.array(rows, dtype=np.int64)


def boundary_f1(counts: Counts) -> NDArray[np.float64]:
    """F1 per class, 0–1; NaN where neither map has a boundary of the class."""
    matched_preds, preds, matched_target, target = counts.T.astype(np.float64)
    precision = np.divide(matched_preds, preds, out=np.zeros_like(preds), where=preds > 0)
    recall = np.divide(matched_target, target, out=np.zeros_like(target), where=target > 0)
    total = precision + recall
    f1 = np.divide(2 * precision * recall, total, out=np.zeros_like(total), where=total > 0)
    return np.where(preds + target > 0, f1, np.nan)


def _class_counts(preds: NDArray[np.bool_], target: NDArray[np.bool_], tolerance: float) -> tuple[int, int, int, int]:
    a, b = _boundary(preds), _boundary(target)
    return int((a & _near(b, tolerance)).sum()), int(a.sum()), int((b & _near(a, tolerance)).sum()), int(b.sum())


def _boundary(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    inner = cv2.erode(mask.astype(np.uint8), cross, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(mask & (inner == 0))


def _near(boundary: NDArray[np.bool_], tolerance: float) -> NDArray[np.bool_]:
    if not boundary.any():
        return np.zeros_like(boundary)
    distance = cv2.distanceTransform((~boundary).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(distance <= tolerance)

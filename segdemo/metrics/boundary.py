"""Boundary F1: how well the outlines of two label maps agree, where area scores hardly notice.

Csurka, Larlus, Perronnin, "What is a good evaluation measure for semantic segmentation?", BMVC 2013. A predicted
boundary pixel counts as right if a true one of the same class lies within a tolerance, and the other way round.
"""

from math import inf

import cv2
import numpy as np
from numpy.typing import NDArray

from segdemo.errors import SettingError
from segdemo.metrics.counts import ratio
from segdemo.text import _

__all__ = ["boundary_counts", "boundary_f1", "check_shapes", "outline"]

Counts = NDArray[np.int64]  # (C, 4): matched and all predicted boundary pixels, matched and all true ones
Mask = NDArray[np.uint8]  # (H, W), 0 or 1
LARGEST_DISC = 12.0  # pixels


def boundary_counts(
    preds: NDArray[np.integer], target: NDArray[np.integer], num_classes: int, *, tolerance: float = 2.0, ignore_index: int = 255
) -> Counts:
    """Boundary pixels (C, 4) int64 per class of two label maps (H, W); sums over pictures give data-set scores.

    tolerance: pixels, straight-line distance. A class's boundary is its pixels with a 4-neighbour of another class; the
    picture's edge is none, and ignored pixels are background to both. Raises SettingError for a tolerance that is no distance
    and for maps of different shapes.
    """
    if not 0 <= tolerance < inf:  # also false for NaN
        raise SettingError(_("The tolerance of the outline is a distance in pixels, not {n}.", n=tolerance))
    check_shapes(preds, target)
    valid = np.asarray(target) != ignore_index
    disc = _disc(tolerance)
    rows = [_class_counts((preds == c) & valid, (target == c) & valid, disc, tolerance) for c in range(num_classes)]
    return np.array(rows, dtype=np.int64)


def check_shapes(preds: NDArray[np.integer], target: NDArray[np.integer]) -> None:
    """Raise SettingError where two label maps are not (H, W) of one size."""
    if np.shape(preds) != np.shape(target) or np.ndim(preds) != 2:
        raise SettingError(f"Two label maps have one shape (H, W), not {np.shape(preds)} and {np.shape(target)}.")


def boundary_f1(counts: Counts) -> NDArray[np.float64]:
    """F1 per class, 0–1; NaN where neither map has a boundary of the class."""
    matched_preds, preds, matched_target, target = counts.T.astype(np.float64)
    precision, recall = (np.nan_to_num(ratio(*pair)) for pair in ((matched_preds, preds), (matched_target, target)))
    f1 = np.nan_to_num(ratio(2 * precision * recall, precision + recall))
    return np.where(preds + target > 0, f1, np.nan)


def outline(mask: NDArray[np.bool_], *, picture_edge: bool = False) -> Mask:
    """1 at the pixels of a mask (H, W) with a 4-neighbour that is not of it, or that lies outside the picture."""
    area = mask.view(np.uint8)
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    beyond = cv2.BORDER_CONSTANT if picture_edge else cv2.BORDER_REPLICATE
    inner = cv2.erode(area, cross, borderType=beyond, borderValue=0)
    return np.asarray(area - inner, dtype=np.uint8)


def _class_counts(
    preds: NDArray[np.bool_], target: NDArray[np.bool_], disc: Mask | None, tolerance: float
) -> tuple[int, int, int, int]:
    a, b = outline(preds), outline(target)
    near_b, near_a = (_near(boundary, disc, tolerance) for boundary in (b, a))
    return *_count(a & near_b, a), *_count(b & near_a, b)


def _count(matched: Mask, boundary: Mask) -> tuple[int, int]:
    return cv2.countNonZero(matched), cv2.countNonZero(boundary)


def _disc(tolerance: float) -> Mask | None:
    """All steps no longer than the tolerance; None for one so large that a distance transform is faster."""
    if tolerance > LARGEST_DISC:
        return None
    radius = int(tolerance)
    steps = np.arange(-radius, radius + 1)
    return (np.hypot(steps[:, None], steps) <= tolerance).astype(np.uint8)


def _near(boundary: Mask, disc: Mask | None, tolerance: float) -> Mask:
    """1 where a boundary pixel lies within the tolerance."""
    if disc is not None:
        return np.asarray(cv2.dilate(boundary, disc, borderType=cv2.BORDER_CONSTANT, borderValue=0), dtype=np.uint8)
    if not boundary.any():
        return boundary
    distance = cv2.distanceTransform(1 - boundary, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return (distance <= tolerance).astype(np.uint8)

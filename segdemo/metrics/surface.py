"""Hausdorff distance: how far two outlines run apart where they run apart most, but for the worst twentieth.

Huttenlocher, Klanderman, Rucklidge, "Comparing images using the Hausdorff distance", IEEE PAMI 15, 1993; the 95th percentile,
which one stray pixel does not move, is the custom of medical segmentation.
"""

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from segdemo.metrics.boundary import check_shapes, outline

__all__ = ["hausdorff95"]

Mask = NDArray[np.uint8]  # (H, W), 0 or 1
PERCENTILE = 95
PIXELS_PER_POINT = 30  # searching the nearest point takes as long as transforming so many pixels


def _discs(reach: int) -> list[tuple[float, Mask]]:
    """The distances between pixels up to a reach, rising, and the disc of each."""
    steps = np.arange(-reach, reach + 1)
    distances = np.hypot(steps[:, None], steps)
    return [(float(d), (distances <= d).astype(np.uint8)) for d in np.unique(distances) if d <= reach]


SHORTEST = _discs(3)  # 0, 1, √2, 2, √5, √8, 3


def hausdorff95(
    preds: NDArray[np.integer], target: NDArray[np.integer], num_classes: int, *, ignore_index: int = 255
) -> NDArray[np.float64]:
    """The 95th percentile of the boundaries' distances in pixels, (C,), of two label maps (H, W). 0 is perfect.

    The greater of two percentiles: of the distances from each predicted boundary pixel to the nearest true one, and the
    other way round (as MONAI has it; others pool both). A class's boundary is its pixels with a 4-neighbour that is not of
    the class or lies outside the picture. Ignored pixels belong to no class. NaN, undefined, where prediction or truth has
    no pixel of the class, for there is no distance to nothing; so a mean over pictures leaves out what was missed altogether
    and must say how many it left out. Raises SettingError for maps of different shapes.
    """
    check_shapes(preds, target)
    valid = np.asarray(target) != ignore_index
    return np.array([_of_class((preds == c) & valid, (target == c) & valid) for c in range(num_classes)])


def _of_class(preds: NDArray[np.bool_], target: NDArray[np.bool_]) -> float:
    a, b = outline(preds, picture_edge=True), outline(target, picture_edge=True)
    if not (a.any() and b.any()):
        return float("nan")
    return max(_percentile(a, b), _percentile(b, a))


def _percentile(here: Mask, there: Mask) -> float:
    """Of the distances from each pixel of one boundary to the nearest of the other, between two of them as numpy has it.

    Growing the other boundary tells how many pixels lie within each of the shortest distances, and most often that is all
    one needs to know.
    """
    place = PERCENTILE / 100 * (cv2.countNonZero(here) - 1)
    below, above = int(place), int(np.ceil(place))
    lower: float | None = None
    for distance, disc in SHORTEST:
        grown = np.asarray(cv2.dilate(there, disc, borderType=cv2.BORDER_CONSTANT, borderValue=0), dtype=np.uint8)
        within = cv2.countNonZero(here & grown)
        lower = distance if lower is None and within > below else lower
        if lower is not None and within > above:
            return lower + (distance - lower) * (place - below)
    return float(np.percentile(_distances(here, there), PERCENTILE))


def _distances(here: Mask, there: Mask) -> NDArray[np.float64]:
    """From each pixel of one boundary to the nearest of the other. Most pixels of a good prediction are 0 away."""
    apart = cv2.findNonZero(here & ~there)
    distances = np.zeros(cv2.countNonZero(here))
    if apart is None:
        return distances
    if len(apart) > here.size / PIXELS_PER_POINT:
        transform = cv2.distanceTransform(1 - there, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        return np.asarray(transform[here > 0], dtype=np.float64)
    tree = cKDTree(cv2.findNonZero(there).reshape(-1, 2), leafsize=32, balanced_tree=False, compact_nodes=False)
    distances[: len(apart)] = tree.query(apart.reshape(-1, 2))[0]
    return distances

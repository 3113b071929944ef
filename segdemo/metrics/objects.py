"""Connected objects in a label map: how many, and how large."""

import cv2
import numpy as np
from numpy.typing import NDArray

from segdemo.types import LabelMap

__all__ = ["MIN_PIXELS", "class_shares", "object_areas", "regions"]

MIN_PIXELS = 4  # smaller regions are noise


def class_shares(labels: LabelMap, num_classes: int) -> NDArray[np.float64]:
    """Share of the picture's area that each class covers, (C,), sums to 1."""
    # OpenCV counts bytes ten times faster than numpy, which first makes 64-bit integers of them; but its counts are
    # float32, exact up to 2**24 only, hence the blocks of rows.
    rows = max(1, 2**24 // labels.shape[1])
    blocks = [labels[top : top + rows] for top in range(0, labels.shape[0], rows)]
    counts = sum(cv2.calcHist([block], [0], None, [256], [0, 256]).astype(np.float64) for block in blocks)
    return np.asarray(counts).ravel()[:num_classes] / labels.size


def object_areas(labels: LabelMap, class_index: int, min_pixels: int = MIN_PIXELS) -> NDArray[np.int64]:
    """Areas in pixels of the 8-connected regions of one class, largest first. Smaller ones than `min_pixels` are noise."""
    areas = np.bincount(regions(labels == class_index).ravel())[1:].astype(np.int64)  # 0 is everything else
    return np.sort(areas[areas >= min_pixels])[::-1]


def regions(mask: NDArray[np.bool_]) -> NDArray[np.int32]:
    """The 8-connected regions of a mask (H, W), numbered 1 … K; 0 elsewhere."""
    return np.asarray(cv2.connectedComponents(mask.view(np.uint8), connectivity=8)[1], dtype=np.int32)

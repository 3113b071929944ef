"""One rule for pictures with more than 8 bits a channel, so that a 16-bit micrograph is neither white nor black.

Values are stretched linearly so that the 0.1th percentile becomes 0 and the 99.9th becomes 255, over all channels
together, rounded to the nearest integer, and clipped beyond: a few hot pixels cannot darken the rest. Percentiles are
taken between neighbours (numpy's "linear"). A flat picture becomes mid-grey 128. NaN and infinities of float pictures
do not count and become 0.
"""

import numpy as np
from numpy.typing import NDArray

from segdemo.errors import ImageError
from segdemo.text import _

__all__ = ["PERCENTILES", "to_eight_bits"]

PERCENTILES = (0.1, 99.9)


def to_eight_bits(values: NDArray[np.number]) -> NDArray[np.uint8]:
    """Integers or floats of any range → uint8 of the same shape, by the rule above. Raises ImageError for all-NaN.

    16-bit integers go through a table of 65,536 entries, and everything else row by row: a picture of 64 megapixels
    must not take gigabytes on its way.
    """
    if values.dtype == np.uint8:
        return values.astype(np.uint8, copy=False)
    if values.dtype == np.uint16:
        counts = np.bincount(values.ravel(), minlength=65_536)
        table = _stretched(np.arange(65_536), *_percentiles_of_counts(counts))
        return np.asarray(table[values], dtype=np.uint8)
    finite = np.isfinite(values)
    known = values[finite]
    if known.size == 0:
        raise ImageError(_("Every pixel of this picture is undefined (NaN); export it again with real values."))
    low, high = (float(v) for v in np.percentile(known, PERCENTILES))
    result = np.zeros(values.shape, np.uint8)
    for row, (line, defined) in enumerate(zip(values, finite, strict=True)):
        result[row] = np.where(defined, _stretched(np.where(defined, line, low), low, high), 0)
    return result


def _stretched(values: NDArray[np.number], low: float, high: float) -> NDArray[np.uint8]:
    if high <= low:
        return np.full(values.shape, 128, np.uint8)
    return np.asarray(np.rint(((values.astype(np.float64) - low) * (255 / (high - low))).clip(0, 255)), dtype=np.uint8)


def _percentiles_of_counts(counts: NDArray[np.integer]) -> tuple[float, float]:
    """The two percentiles, between neighbours, of values given as how often each integer occurs."""
    until = np.cumsum(counts)
    result = []
    for percentile in PERCENTILES:
        place = percentile / 100 * (until[-1] - 1)
        below, above = np.searchsorted(until, [np.floor(place), np.ceil(place)], side="right")
        result.append(float(below + (above - below) * (place - np.floor(place))))
    return result[0], result[1]

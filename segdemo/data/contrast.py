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
    """Integers or floats of any range → uint8 of the same shape, by the rule above. Raises ImageError for all-NaN."""
    if values.dtype == np.uint8:
        return values.astype(np.uint8, copy=False)
    finite = np.isfinite(values)
    known = values if finite.all() else values[finite]
    if known.size == 0:
        raise ImageError(_("Every pixel of this picture is undefined (NaN); export it again with real values."))
    low, high = (float(v) for v in np.percentile(known.astype(np.float64, copy=False), PERCENTILES))
    if high <= low:
        return np.where(finite, np.uint8(128), np.uint8(0)).astype(np.uint8)
    stretched = (np.where(finite, values, low).astype(np.float64) - low) * (255 / (high - low))
    return np.where(finite, np.rint(stretched.clip(0, 255)), 0).astype(np.uint8)

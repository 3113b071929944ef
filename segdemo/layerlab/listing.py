"""Arrays as they are written in the runnable code beside a scene."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["literal"]


def literal(array: NDArray[np.float64]) -> str:
    """Nested lists as Python reads them, with every digit, whole numbers without a point."""
    return str(_short(array.tolist()))


def _short(item: object) -> object:
    if isinstance(item, list):
        return [_short(part) for part in item]
    return int(item) if isinstance(item, float) and item.is_integer() else item

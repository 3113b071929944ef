"""The runnable code beside a scene: its first line, and arrays as they are written in it."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["HEAD", "given", "literal"]

HEAD = "import torch, torch.nn.functional as F"
"""The line with which the code of a scene begins."""


def given(name: str, array: NDArray[np.float64]) -> str:
    """The line that makes a tensor of that name, in float64."""
    return f"{name} = torch.tensor({literal(array)}, dtype=torch.float64)"


def literal(array: NDArray[np.float64]) -> str:
    """Nested lists as Python reads them, with every digit, whole numbers without a point."""
    return str(_short(array.tolist()))


def _short(item: object) -> object:
    if isinstance(item, list):
        return [_short(part) for part in item]
    return int(item) if isinstance(item, float) and item.is_integer() else item

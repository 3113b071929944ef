"""Which pixels of the input each position of a map sees, along one axis: the first and the last, exactly, borders included."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Reach", "everything", "fitted", "identity", "joined", "sampled", "spread", "windows"]

NOTHING = 1 << 40  # first pixel of a position that sees none


@dataclass(frozen=True, eq=False)
class Reach:
    """first and last (n,) int64: pixel of the input that each position sees; first > last where it sees none."""

    first: NDArray[np.int64]
    last: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.first)

    @property
    def widest(self) -> int:
        """Pixels that the position sees which sees most."""
        return max(0, int((self.last - self.first).max()) + 1)


def identity(size: int) -> Reach:
    """Every pixel sees itself."""
    return Reach(np.arange(size), np.arange(size))


def _gathered(reach: Reach, inputs: NDArray[np.int64]) -> Reach:
    """Positions (n, taps) that look at inputs, few taps; those outside of the map are zeros that were put there."""
    inside = (inputs >= 0) & (inputs < len(reach))
    at = inputs.clip(0, len(reach) - 1)
    return Reach(np.where(inside, reach.first[at], NOTHING).min(1), np.where(inside, reach.last[at], -NOTHING).max(1))


def windows(reach: Reach, size: int, kernel: int, stride: int, padding: int, dilation: int = 1) -> Reach:
    """After a convolution or a pooling with `size` outputs. Weight by weight, so that only arrays of one axis are made."""
    span = (size - 1) * stride + 1
    behind = max(0, span + dilation * (kernel - 1) - padding - len(reach))
    first = np.pad(reach.first, (padding, behind), constant_values=NOTHING)
    last = np.pad(reach.last, (padding, behind), constant_values=-NOTHING)
    found = _blind(size)
    for start in range(0, kernel * dilation, dilation):
        np.minimum(found.first, first[start : start + span : stride], out=found.first)
        np.maximum(found.last, last[start : start + span : stride], out=found.last)
    return found


def spread(reach: Reach, size: int, kernel: int, stride: int, padding: int) -> Reach:
    """After a transposed convolution with `size` outputs: input i adds to outputs i·s − p … i·s − p + k − 1."""
    span = (len(reach) - 1) * stride + 1
    uncut = _blind(span + kernel - 1)
    for start in range(kernel):
        reached = slice(start, start + span, stride)
        np.minimum(uncut.first[reached], reach.first, out=uncut.first[reached])
        np.maximum(uncut.last[reached], reach.last, out=uncut.last[reached])
    return Reach(uncut.first[padding : padding + size], uncut.last[padding : padding + size])


def _blind(size: int) -> Reach:
    """Positions that see nothing yet."""
    return Reach(np.full(size, NOTHING), np.full(size, -NOTHING))


def sampled(reach: Reach, factor: int, bilinear: bool) -> Reach:
    """After up-sampling by a whole factor: the nearest, or the two nearest with a weight that is not zero."""
    outputs = np.arange(len(reach) * factor)
    if not bilinear:
        return _gathered(reach, (outputs // factor)[:, None])
    doubled = np.maximum(2 * outputs + 1 - factor, 0)  # twice the factor times the place, clipped as torch does
    low = doubled // (2 * factor)
    high = np.where(doubled % (2 * factor) > 0, np.minimum(low + 1, len(reach) - 1), low)
    return _gathered(reach, np.stack([low, high], 1))


def fitted(reach: Reach, size: int) -> Reach:
    """Cropped around the middle, or with positions around it that see nothing; the odd one out is behind."""
    before = (size - len(reach)) // 2 if size > len(reach) else -((len(reach) - size) // 2)
    return _gathered(reach, np.arange(size)[:, None] - before)


def joined(one: Reach, other: Reach) -> Reach:
    """What either sees."""
    return Reach(np.minimum(one.first, other.first), np.maximum(one.last, other.last))


def everything(reach: Reach) -> Reach:
    """One position that sees what any saw."""
    return Reach(reach.first.min(keepdims=True), reach.last.max(keepdims=True))

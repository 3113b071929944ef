"""Reach: for every position of a map, the first and last input pixel that it can depend on, along one axis.

An `Axis` holds arrays (length of the map). A position that saw only padding holds nothing: first > last. Beside what a
position sees it holds where the position lies, which borders, crops and enlargements move in their own ways.
Each function is one kind of layer, exactly: strides, dilation, padding, odd sizes and crops included.
"""

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Axis", "full_view", "gather", "identity", "pad", "pooled_bins", "sampled", "transposed", "union", "window"]

NOTHING_FIRST, NOTHING_LAST = np.int64(1 << 40), np.int64(-(1 << 40))
Positions = NDArray[np.int64]
Places = NDArray[np.float64]  # of positions, also between two of them


@dataclass(frozen=True)
class Axis:
    """First and last input position that each position of a map sees; `stride` input pixels lie between neighbours.

    `centre` is where each position lies, in input pixels, of which the first lies at 0; padding lies outside.
    `coarsest` is the largest stride on the way here: a map that was shrunk and enlarged lies less surely.
    """

    first: Positions
    last: Positions
    stride: Fraction
    centre: Places
    coarsest: Fraction

    def __len__(self) -> int:
        return len(self.first)

    @property
    def step(self) -> float:
        """Input pixels from one centre to the next, on average."""
        return float((self.centre[-1] - self.centre[0]) / (len(self) - 1)) if len(self) > 1 else float(self.stride)

    def centre_at(self, places: NDArray[Any]) -> Places:
        """Where places between positions lie, and where positions beyond the ends would."""
        beyond = np.minimum(places, 0) + np.maximum(places - (len(self) - 1), 0)
        return np.asarray(np.interp(places, np.arange(len(self)), self.centre) + self.step * beyond, dtype=np.float64)

    def at(self, positions: Positions) -> "Axis":
        """The map with these positions in this order; what lies outside saw nothing."""
        inside = (positions >= 0) & (positions < len(self))
        safe = np.clip(positions, 0, len(self) - 1)
        return Axis(
            np.where(inside, self.first[safe], NOTHING_FIRST), np.where(inside, self.last[safe], NOTHING_LAST), self.stride,
            self.centre_at(positions), self.coarsest,
        )  # fmt: skip


def identity(length: int) -> Axis:
    """The input itself: every pixel sees itself."""
    pixels = np.arange(length, dtype=np.int64)
    return Axis(pixels, pixels, Fraction(1), pixels.astype(np.float64), Fraction(1))


def union(*axes: Axis) -> Axis:
    """Maps that are added or concatenated; a map of one position is spread over the others.

    Where they disagree on where their positions lie, because one was enlarged, the one that was shrunk least is right.
    """
    length = max(len(axis) for axis in axes)
    first = np.minimum.reduce([np.broadcast_to(axis.first, length) for axis in axes])
    last = np.maximum.reduce([np.broadcast_to(axis.last, length) for axis in axes])
    sharpest = min((axis for axis in axes if len(axis) == length), key=lambda axis: (axis.stride, axis.coarsest))
    return Axis(first, last, sharpest.stride, sharpest.centre, sharpest.coarsest)


def full_view(axis: Axis, length: int = 1) -> Axis:
    """A map whose every position sees all that `axis` sees together; they share out its length evenly."""
    shares = (np.arange(length) + 0.5) * len(axis) / length - 0.5
    first, last = np.full(length, axis.first.min()), np.full(length, axis.last.max())
    return Axis(first, last, axis.stride * len(axis), axis.centre_at(shares), axis.coarsest * len(axis))


def gather(axis: Axis, taps: list[Positions], stride: Fraction, places: NDArray[Any]) -> Axis:
    """A map whose position i sees positions taps[0][i], taps[1][i] … of `axis`, and lies at places[i] of it."""
    seen = [axis.at(positions) for positions in taps]
    together = union(*seen)
    return Axis(together.first, together.last, stride, axis.centre_at(places), max(axis.coarsest, stride))


def window(axis: Axis, length: int, kernel: int, stride: int, padding: int, dilation: int) -> Axis:
    """Convolution and pooling: output i sees inputs i·stride − padding + tap·dilation."""
    if (kernel, stride, padding) == (1, 1, 0) and length == len(axis):
        return axis
    start = np.arange(length, dtype=np.int64) * stride - padding
    middle = start + (kernel - 1) * dilation / 2
    return gather(axis, [start + tap * dilation for tap in range(kernel)], axis.stride * stride, middle)


def transposed(axis: Axis, length: int, kernel: int, stride: int, padding: int, dilation: int) -> Axis:
    """Transposed convolution: output i sees input j where i = j·stride − padding + tap·dilation."""
    taps = []
    for tap in range(kernel):
        offset = np.arange(length, dtype=np.int64) + padding - tap * dilation
        taps.append(np.where(offset % stride == 0, offset // stride, -1))
    middle = (np.arange(length) + padding - (kernel - 1) * dilation / 2) / stride
    return gather(axis, taps, axis.stride / stride, middle)


def pooled_bins(axis: Axis, length: int) -> Axis:
    """Adaptive pooling to `length` bins of nearly equal size."""
    n = len(axis)
    starts = [i * n // length for i in range(length)]
    ends = [-(-(i + 1) * n // length) for i in range(length)]
    first = [axis.first[s:e].min() for s, e in zip(starts, ends, strict=True)]
    last = [axis.last[s:e].max() for s, e in zip(starts, ends, strict=True)]
    middle = (np.array(starts) + np.array(ends) - 1) / 2
    stride = axis.stride * Fraction(n, length)
    return Axis(np.array(first), np.array(last), stride, axis.centre_at(middle), max(axis.coarsest, stride))


def sampled(axis: Axis, length: int, *, linear: bool, align_corners: bool = False, reach: int = 1) -> Axis:
    """Interpolation to `length`: the pixel left of each sample and, if linear, the one right of it where it has weight."""
    n, i = len(axis), np.arange(length, dtype=np.float64)
    stride = axis.stride * Fraction(n, length)
    lies = i * (n - 1) / max(1, length - 1) if align_corners else (i + 0.5) * n / length - 0.5
    if not linear:
        return gather(axis, [(np.arange(length, dtype=np.int64) * n) // length], stride, lies)
    place = np.clip(np.round(lies, 9), 0, n - 1)
    left, right = np.floor(place).astype(np.int64), np.ceil(place).astype(np.int64)
    taps = [np.clip(left - k, 0, n - 1) for k in range(reach)] + [np.clip(right + k, 0, n - 1) for k in range(reach)]
    return gather(axis, taps, stride, lies)


def pad(axis: Axis, before: int, after: int, mode: str) -> Axis:
    """Padding and, with negative amounts, cropping. "constant" adds positions that saw nothing."""
    n, places = len(axis), np.arange(-before, len(axis) + after, dtype=np.int64)
    positions = places
    if mode == "reflect":
        positions = n - 1 - np.abs(n - 1 - np.abs(positions))
    elif mode == "replicate":
        positions = np.clip(positions, 0, n - 1)
    return replace(axis.at(positions), centre=axis.centre_at(places))

"""Pooling by loops that can be read: which cells each window covers, and what becomes of them.

A channel at a time, in float64: the same numbers as `torch.nn.functional.max_pool2d` (with its winners) and `avg_pool2d`.
Padding is −∞ for a maximum, so that it never wins, and 0 for an average. With `ceil_mode` a window may stick out of the padded
input; what lies out there does not exist and is not counted.

Scherer, Müller, Behnke, Evaluation of pooling operations, ICANN 2010. Torch's rule for `ceil_mode`: a window has to start in
the input or in the padding before it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segdemo.errors import SettingError
from segdemo.layerlab.sizes import extent, pooled_size
from segdemo.text import _

__all__ = ["Pooling", "average_pool", "check_pooling", "counted", "max_pool", "windows"]

Float = NDArray[np.float64]
Pair = tuple[int, int]
Place = tuple[int, int]


@dataclass(frozen=True)
class Pooling:
    """Windows: kernel, stride, padding (on both sides) and dilation, each (rows, columns); cells, at least 1 (padding: 0).

    `ceil_mode` rounds the number of windows up. `count_include_pad` divides an average by the padding as well.
    """

    kernel: Pair
    stride: Pair
    padding: Pair = (0, 0)
    dilation: Pair = (1, 1)
    ceil_mode: bool = False
    count_include_pad: bool = True


def windows(size: int, settings: Pooling, axis: int) -> list[list[int]]:
    """For each window along an axis (0 rows, 1 columns) the places it looks at; below 0 and from `size` on there is no cell."""
    k, s, p, d = (each[axis] for each in (settings.kernel, settings.stride, settings.padding, settings.dilation))
    starts = (number * s - p for number in range(pooled_size(size, k, s, p, d, settings.ceil_mode)))
    return [[start + step * d for step in range(k)] for start in starts]


def check_pooling(shape: tuple[int, ...], settings: Pooling) -> None:
    """Raises SettingError, with the sentence, where a window does not fit, is mostly padding, or sees no cell at all."""
    for axis, size in enumerate(shape):
        k, p, d = settings.kernel[axis], settings.padding[axis], settings.dilation[axis]
        if 2 * p > k:
            words = _("A window of {k} cells can have at most {most} cells of padding: half its size.", k=k, most=k // 2)
            raise SettingError(words)
        places = windows(size, settings, axis)
        if not places:
            raise SettingError(_("A window of {span} cells does not fit into {n}.", span=extent(k, d), n=size + 2 * p))
        if not all(any(0 <= at < size for at in window) for window in places):
            raise SettingError(_("A window would see nothing but padding: with this dilation it skips all {n} cells.", n=size))


def max_pool(image: Float, settings: Pooling) -> tuple[Float, NDArray[np.int64]]:
    """image (H, W) → the largest cell of each window (h, w), and where it is: (h, w, 2), row and column in the input.

    The first one wins where several are equal. Raises SettingError, see `check_pooling`.
    """
    check_pooling(image.shape, settings)
    rows, columns = (windows(size, settings, axis) for axis, size in enumerate(image.shape))
    output, winners = np.empty((len(rows), len(columns))), np.empty((len(rows), len(columns), 2), np.int64)
    for r, c in np.ndindex(output.shape):
        best: tuple[float, Place] | None = None
        for place in _cells(rows[r], columns[c], image.shape):
            if best is None or image[place] > best[0]:
                best = float(image[place]), place
        assert best is not None  # check_pooling saw to it
        output[r, c], winners[r, c] = best
    return output, winners


def average_pool(image: Float, settings: Pooling) -> Float:
    """image (H, W) → the mean of each window (h, w). Raises SettingError, see `check_pooling`; there is no dilation here."""
    check_pooling(image.shape, settings)
    if settings.dilation != (1, 1):
        raise SettingError(_("Average pooling has no dilation."))
    rows, columns = (windows(size, settings, axis) for axis, size in enumerate(image.shape))
    output = np.empty((len(rows), len(columns)))
    for r, c in np.ndindex(output.shape):
        total = sum(float(image[place]) for place in _cells(rows[r], columns[c], image.shape))
        output[r, c] = total / len(counted(rows[r], columns[c], image.shape, settings))
    return output


def counted(rows: list[int], columns: list[int], shape: tuple[int, ...], settings: Pooling) -> list[Place]:
    """The places of a window by whose number an average divides: with or without padding, never what sticks out of it."""
    edge = settings.padding if settings.count_include_pad else (0, 0)
    return [(y, x) for y in rows for x in columns
            if -edge[0] <= y < shape[0] + edge[0] and -edge[1] <= x < shape[1] + edge[1]]  # fmt: skip


def _cells(rows: list[int], columns: list[int], shape: tuple[int, ...]) -> list[Place]:
    """The places of a window that are cells of the input, row by row."""
    return [(y, x) for y in rows if 0 <= y < shape[0] for x in columns if 0 <= x < shape[1]]

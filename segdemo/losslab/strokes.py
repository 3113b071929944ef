"""Strokes of a brush as they arrive from a browser: checked run lengths, and what they add up to on a mask.

A stroke is the area that the brush went over, row by row from the top left: how many pixels it left alone, how many it
covered, and so on. Nothing that a message claims is believed: what does not add up is refused with a sentence.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segdemo.errors import SettingError
from segdemo.geometry import Size
from segdemo.losslab.damage import Mask, Paint
from segdemo.text import _

__all__ = ["MOST_RUNS", "MOST_STROKES", "Stroke", "flattened", "read_stroke", "run_lengths", "together"]

MOST_RUNS = 20_000  # a brush that fills 256 rows has some five hundred
MOST_STROKES = 200  # that can be undone; the oldest become one


@dataclass(frozen=True)
class Stroke:
    """`packed` (H·W/8 bytes, eight pixels a byte) is what was covered in a mask of `size`; `adds` says paint or erase."""

    adds: bool
    size: Size
    packed: NDArray[np.uint8]

    @property
    def covered(self) -> Mask:
        """(H, W), where the brush went."""
        height, width = self.size
        return np.unpackbits(self.packed, count=height * width).reshape(height, width).astype(bool)


def read_stroke(message: object, size: Size) -> Stroke:
    """The stroke of a message {"mode": "add"|"erase", "runs": [left alone, covered, left alone, …]} on a mask of that size.

    Raises SettingError for anything else: other types, more than MOST_RUNS runs, or runs that are not the size's pixels.
    """
    if not isinstance(message, dict) or message.get("mode") not in ("add", "erase"):
        raise SettingError(_("This stroke says neither that it adds nor that it erases; nothing was painted."))
    runs = message.get("runs")
    if not isinstance(runs, list) or not 1 <= len(runs) <= MOST_RUNS:
        raise SettingError(_("This stroke is no list of at most {n} lengths; nothing was painted.", n=MOST_RUNS))
    if not all(type(run) is int and 0 <= run <= size[0] * size[1] for run in runs) or sum(runs) != size[0] * size[1]:
        raise SettingError(_("This stroke does not fit a mask of {w} × {h} pixels; nothing was painted.", w=size[1], h=size[0]))
    covered = np.repeat(np.arange(len(runs)) % 2, runs).astype(bool)
    return Stroke(message["mode"] == "add", size, np.packbits(covered))


def run_lengths(covered: Mask) -> list[int]:
    """The runs of an area (H, W), as `read_stroke` takes them."""
    flat = np.concatenate([[False], covered.ravel()])
    edges = np.flatnonzero(flat[1:] != flat[:-1])
    return [int(run) for run in np.diff(np.concatenate([[0], edges, [covered.size]]))]


def flattened(strokes: Sequence[Stroke], size: Size) -> Paint:
    """(H, W): 1 where the last brush added, −1 where it erased, 0 where none went. Strokes of another size are left out."""
    paint = np.zeros(size, np.int8)
    for stroke in strokes:
        if stroke.size == size:
            paint[stroke.covered] = 1 if stroke.adds else -1
    return paint


def together(strokes: Sequence[Stroke]) -> tuple[Stroke, ...]:
    """No more than MOST_STROKES of one size: the oldest become two, what they added and what they erased."""
    if len(strokes) <= MOST_STROKES:
        return tuple(strokes)
    size, surplus = strokes[-1].size, len(strokes) - MOST_STROKES + 2
    paint = flattened(strokes[:surplus], size)
    merged = (Stroke(True, size, np.packbits(paint > 0)), Stroke(False, size, np.packbits(paint < 0)))
    return (*merged, *strokes[surplus:])

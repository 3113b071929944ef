"""The one geometry transform: picture → network input → label map, and back, without losing a pixel.

    picture (H, W) ──scale──▶ working size (h, w) ──pad bottom/right──▶ (h', w') ──border──▶ network input
    label map (H, W) ◀──nearest── (h, w) ◀──crop── (h', w') ◀── network output

Image, mask, probabilities and overlay all pass through the same object, so they cannot be misaligned.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Geometry", "Size", "plan", "resize_nearest"]

Size = tuple[int, int]  # (height, width) in pixels


@dataclass(frozen=True)
class Geometry:
    """Where a picture's pixels lie in a network's input. All sizes are (height, width)."""

    full: Size
    working: Size
    padded: Size

    @property
    def scale(self) -> float:
        """Working size over full size, along the height."""
        return self.working[0] / self.full[0]

    @property
    def padding(self) -> Size:
        """Rows added below and columns added to the right."""
        return self.padded[0] - self.working[0], self.padded[1] - self.working[1]


def plan(
    full: Size, *, short_side: int | None, max_pixels: int, multiple_of: int, offset: int = 0, enlarged: float = 1.0
) -> Geometry:
    """The geometry for a picture of size `full`: scaled to `short_side`, held below `max_pixels`, padded to a
    multiple, or to `offset` more than one. `enlarged` times that size where it still stays below `max_pixels`.

    A strip so thin that its padding alone would exceed `max_pixels` is shortened; everything else keeps its proportions.
    """
    height, width = full
    scale = 1.0 if short_side is None else short_side / min(full)
    most = math.sqrt(max_pixels / (height * width))
    scale = min(min(scale, most) * enlarged, most)
    longest = max(1, max_pixels // multiple_of)
    working = (min(longest, max(1, round(height * scale))), min(longest, max(1, round(width * scale))))
    return Geometry(full, working, (_padded(working[0], multiple_of, offset), _padded(working[1], multiple_of, offset)))


def _padded(side: int, multiple_of: int, offset: int) -> int:
    """The smallest side, at least `side`, that lies `offset` above a multiple."""
    return max(0, math.ceil((side - offset) / multiple_of)) * multiple_of + offset


def _nearest(source: int, target: int) -> NDArray[np.intp]:
    """For each of `target` pixels the index of the one of `source` pixels that its centre falls into."""
    return (2 * np.arange(target, dtype=np.intp) + 1) * source // (2 * target)  # whole numbers: no tie is left to rounding


def resize_nearest(maps: NDArray[Any], size: Size) -> NDArray[Any]:
    """Nearest-neighbour resize of `maps` (…, h, w) to (…, H, W), up or down, pixel centres aligned."""
    height, width = maps.shape[-2:]
    if (height, width) == size:
        return maps
    rows, columns = _nearest(height, size[0]), _nearest(width, size[1])
    # Gathering columns is slow and copying whole rows is fast, so columns are gathered while there are fewer rows.
    # "clip" skips a check that every index would pass, at half the cost.
    if size[0] < height:
        return np.take(np.take(maps, rows, axis=-2, mode="clip"), columns, axis=-1, mode="clip")
    return np.take(np.take(maps, columns, axis=-1, mode="clip"), rows, axis=-2, mode="clip")

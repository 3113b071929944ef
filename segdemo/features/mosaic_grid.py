"""Where each channel of a mosaic lies, and which position of which channel a click means. Whole numbers only.

Maps are enlarged by a whole factor, a square a position, or reduced by one, a pixel for the mean of a block. So every
pixel belongs to one block of positions exactly, and cells have the maps' own proportions.
"""

from dataclasses import dataclass
from math import ceil

import numpy as np

from segdemo.geometry import Size

__all__ = ["Grid", "plan_grid"]

PIXELS = 1_160_000  # of the whole mosaic; 1024 maps of 32² with their gaps
LARGEST_POSITION = 32  # px: further enlarged, a map shows nothing more
SMALLEST_SIDE = 4  # px: of a cell where a strip of a map would be a hair's breadth


@dataclass(frozen=True)
class Grid:
    """Cells for `count` maps of `map_size` (h, w), row by row, `gap` px between them and none around.

    `enlarged` and `reduced` are (vertical, horizontal): px a block of positions, and positions a block.
    """

    count: int
    map_size: Size
    columns: int
    gap: int
    enlarged: tuple[int, int]
    reduced: tuple[int, int]

    @property
    def rows(self) -> int:
        return ceil(self.count / self.columns)

    @property
    def blocks(self) -> Size:
        """Blocks of positions down and across one cell; the last of a side may be smaller."""
        return ceil(self.map_size[0] / self.reduced[0]), ceil(self.map_size[1] / self.reduced[1])

    @property
    def cell_height(self) -> int:
        return self.blocks[0] * self.enlarged[0]

    @property
    def cell_width(self) -> int:
        return self.blocks[1] * self.enlarged[1]

    @property
    def height(self) -> int:
        return self.rows * (self.cell_height + self.gap) - self.gap

    @property
    def width(self) -> int:
        return self.columns * (self.cell_width + self.gap) - self.gap

    def box(self, place: int) -> tuple[int, int, int, int]:
        """(left, top, right, bottom) in px of the cell at that place, right and bottom exclusive."""
        row, column = divmod(place, self.columns)
        left, top = column * (self.cell_width + self.gap), row * (self.cell_height + self.gap)
        return left, top, left + self.cell_width, top + self.cell_height

    def at(self, x: float, y: float) -> tuple[int, int, int] | None:
        """(place, row, column) under a point in px: the middle one of the block shown there; None between cells."""
        if not (0 <= x < self.width and 0 <= y < self.height):
            return None
        grid_row, down = divmod(int(y), self.cell_height + self.gap)
        grid_column, across = divmod(int(x), self.cell_width + self.gap)
        place = grid_row * self.columns + grid_column
        if down >= self.cell_height or across >= self.cell_width or place >= self.count:
            return None
        return place, self._middle(down, 0), self._middle(across, 1)

    def _middle(self, px: int, axis: int) -> int:
        first = px // self.enlarged[axis] * self.reduced[axis]
        return first + min(self.reduced[axis], self.map_size[axis] - first) // 2

    def pixel(self, place: int, row: int, column: int) -> tuple[int, int]:
        """(x, y), the middle px of the block in which that position of that map is shown."""
        left, top, _right, _bottom = self.box(place)
        down, across = (
            index // self.reduced[axis] * self.enlarged[axis] + self.enlarged[axis] // 2
            for axis, index in enumerate((row, column))
        )
        return left + across, top + down


def plan_grid(count: int, map_size: Size, aspect: float, max_width: int) -> Grid:
    """The grid for `count` maps with cells as large as PIXELS allows, near to width / height = `aspect`.

    It is never wider than `max_width`, and no cell is wider or higher than that. Maps are only enlarged as far as they
    fill that width at that ratio. The last row is full where that costs little of the ratio.
    """
    height, width = map_size
    reduced = _reduced(height, width, PIXELS / count, max_width)
    across, down = (ceil(side / reduced) for side in (width, height))
    block = _enlarged(down, across, min(PIXELS, max_width**2 / aspect) / count, max_width)
    enlarged = (max(block, ceil(SMALLEST_SIDE / down)), max(block, ceil(SMALLEST_SIDE / across)))
    across, down = across * enlarged[1], down * enlarged[0]
    gap = _gap(across, down)
    columns = _columns(count, across + gap, down + gap, aspect, max_width + gap)
    return Grid(count, map_size, columns, gap, enlarged, (min(reduced, height), min(reduced, width)))


def _fits(down: int, across: int, area: float, longest: int) -> bool:
    """Whether a cell with its gap takes no more than `area` px, and no side is too long."""
    gap = _gap(across, down)
    return max(across, down) <= longest and (across + gap) * (down + gap) <= area


def _reduced(height: int, width: int, area: float, longest: int) -> int:
    """The smallest whole factor by which a map has to be reduced to fit; a single position always does."""
    low, high = 0, 1
    while high < max(height, width) and not _fits(ceil(height / high), ceil(width / high), area, longest):
        low, high = high, 2 * high
    while high - low > 1:  # `low` is too large a cell and `high` is not
        middle = (low + high) // 2
        low, high = (low, middle) if _fits(ceil(height / middle), ceil(width / middle), area, longest) else (middle, high)
    return high


def _enlarged(height: int, width: int, area: float, longest: int) -> int:
    """The largest whole factor up to LARGEST_POSITION with which a cell fits; at least 1."""
    return max(k for k in range(1, LARGEST_POSITION + 1) if k == 1 or _fits(k * height, k * width, area, longest))


def _gap(across: int, down: int) -> int:
    return 1 if min(across, down) < 48 else 2


def _columns(count: int, across: int, down: int, aspect: float, max_width: int) -> int:
    columns = np.arange(1, min(count, max(1, max_width // across)) + 1)
    rows = np.ceil(count / columns)
    empty = 1 - count / (rows * columns)  # a full last row is worth some of the shape
    return int(columns[np.argmin(np.abs(np.log(columns * across / (rows * down) / aspect)) + 1.5 * empty)])

"""Placement: where the positions of each map lie in the network's input, and which of its pixels each of them sees.

With it a map is laid over the picture exactly, a pixel finds its position in every stage, and a position its pixels:
also where the network pads by 100 pixels, loses its border, or answers for every fourth pixel only.
"""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import nn

from segdemo.errors import SettingError
from segdemo.features.field_view import Certainty, View
from segdemo.features.reach import Axis, Places, Positions
from segdemo.features.receptive_field import ReceptiveField, receptive_fields, views
from segdemo.geometry import Size

__all__ = ["Placement", "Rect", "placements"]

Number = TypeVar("Number", np.int64, np.float64)


@dataclass(frozen=True)
class Rect:
    """A rectangle in pixels of the network's input; pixel i reaches from i to i + 1, so bottom and right are exclusive."""

    top: float
    left: float
    bottom: float
    right: float

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def width(self) -> float:
        return self.right - self.left

    def contains(self, y: float, x: float) -> bool:
        """Whether the point lies inside, on the upper and left edge included."""
        return self.top <= y < self.bottom and self.left <= x < self.right


@dataclass(frozen=True, eq=False)
class Placement:
    """One stage's map on an input of `size` (H, W). A stage that puts out a vector has one position.

    row_first … column_last: (h,) and (w,) the first and last input row and column that each row and column of the map
    sees, clipped to the input; first > last where it sees only padding. row_centre, column_centre: (h,) and (w,) where
    it lies; may be outside of the input. away_from_border: the field before it is clipped, None where it cannot be told.

    kind: "exact"; "upper bound" where the network does something that is not followed, and a position may see less;
    "convolutions only" where a normalisation by the statistics of the whole map (instance, group) lets every position
    depend a little on all others too. Where pooling or attention over everything lets each position see everything,
    the field says so and is exact.
    """

    row_first: Positions
    row_last: Positions
    column_first: Positions
    column_last: Positions
    row_centre: Places
    column_centre: Places
    extent: Rect  # what the map covers: laid over this rectangle, every position lies on its centre
    size: Size
    kind: Certainty
    away_from_border: ReceptiveField | None

    @property
    def shape(self) -> Size:
        """(h, w) of the map."""
        return len(self.row_first), len(self.column_first)

    def field(self, row: int, column: int) -> Rect:
        """What the position can depend on; of height and width 0 where it sees only padding."""
        top, bottom = int(self.row_first[row]), int(self.row_last[row]) + 1
        left, right = int(self.column_first[column]), int(self.column_last[column]) + 1
        if top >= bottom or left >= right:
            y, x = self.centre(row, column)
            return Rect(y, x, y, x)
        return Rect(top, left, bottom, right)

    def centre(self, row: int, column: int) -> tuple[float, float]:
        """(y, x) where the position lies; the first pixel's centre is at (0.5, 0.5)."""
        return float(self.row_centre[row]), float(self.column_centre[column])

    def position_at(self, y: int, x: int) -> tuple[int, int]:
        """(row, column) of the position whose centre is nearest to that of the pixel in row y and column x of the input."""
        return int(np.abs(self.row_centre - (y + 0.5)).argmin()), int(np.abs(self.column_centre - (x + 0.5)).argmin())


def placements(model: nn.Module, size: Size, in_channels: int) -> dict[str, Placement]:
    """Stage name → where its map lies, for an input of that size; the model should be on "meta".

    A position lies where the middle of its kernels lies. Where maps of different pasts are joined, the one that was
    shrunk least decides. A map as large as the input answers pixel for pixel: so it was trained, whatever its
    enlargements do in between. Errors of the model pass through.
    """
    fields = _fields(model, in_channels)
    return {name: _placed(view, size, fields.get(name)) for name, view in views(model, size, in_channels).items()}


def _fields(model: nn.Module, in_channels: int) -> dict[str, ReceptiveField]:
    """Away from the border; nothing is known of networks that take one size only, which larger pictures tell."""
    try:
        return receptive_fields(model, in_channels)
    except (SettingError, RuntimeError):  # the second is torch's, where shapes do not fit
        return {}


def _placed(view: View, size: Size, away_from_border: ReceptiveField | None) -> Placement:
    rows, columns = view.rows, view.columns
    whole = (len(rows), len(columns)) == size
    (row_centre, top, bottom), (column_centre, left, right) = (_lying(axis, whole) for axis in (rows, columns))
    return Placement(
        _frozen(rows.first), _frozen(rows.last), _frozen(columns.first), _frozen(columns.last),
        _frozen(row_centre), _frozen(column_centre), Rect(top, left, bottom, right), size, view.certainty, away_from_border,
    )  # fmt: skip


def _lying(axis: Axis, whole: bool) -> tuple[Places, float, float]:
    """The centres of an axis, where it begins and where it ends, in pixels from the input's edge."""
    if whole:
        return np.arange(len(axis), dtype=np.float64) + 0.5, 0.0, float(len(axis))
    centre, half = axis.centre + 0.5, axis.step / 2  # of a pixel: from its middle to the picture's edge
    return centre, float(centre[0] - half), float(centre[-1] + half)


def _frozen(values: NDArray[Number]) -> NDArray[Number]:
    """A copy that nobody can change: visitors share what is remembered."""
    values = values.copy()
    values.setflags(write=False)
    return values

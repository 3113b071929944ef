"""Where in a tensor the picture's rows and columns lie, and what each of them sees.

Networks reorder maps: (N, C, H, W) becomes (N, H, W, C), or a list of tokens (N, H·W, C). A `View` remembers which
dimensions are the rows and the columns, so that such maps are followed exactly too; and where they could not be, how
far what it says can be trusted.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Literal, get_args

from torch import Tensor

from segdemo.features import reach
from segdemo.features.reach import Axis

__all__ = ["MAP", "Certainty", "View", "doubted", "everything", "joined", "moved", "reshaped"]

# From the best to the worst: the field is what it is; it may be smaller; through the convolutions it is exact, but a
# normalisation by the statistics of the whole map lets every position depend a little on every other.
Certainty = Literal["exact", "upper bound", "convolutions only"]

MAP = (-2, -1)  # the place of rows and columns in (N, C, H, W)


@dataclass(frozen=True)
class View:
    """What the rows and the columns of a tensor see.

    place: the dimensions, counted from the last, that hold rows and columns; one dimension holds both, row by row;
    none where every value sees the same, and both axes have one position.
    """

    rows: Axis
    columns: Axis
    place: tuple[int, ...] = MAP
    certainty: Certainty = "exact"

    def on(self, layer: Callable[[Axis, int], Axis]) -> "View":
        """The view after a layer that treats both axes, called with each axis and 0 for rows, 1 for columns."""
        return replace(self, rows=layer(self.rows, 0), columns=layer(self.columns, 1))

    @property
    def constant(self) -> bool:
        return len(self.rows) == len(self.columns) == 1

    def spread(self, tensor: Tensor) -> "View":
        """For a map that sees the same everywhere: with one position for each of its rows and columns."""
        if self.place or tensor.ndim < 4:
            return self
        sides = tensor.shape[-2:]
        return replace(self.on(lambda axis, i: reach.full_view(axis, sides[i])), place=MAP)


def everything(views: Sequence[View], *, at_most: bool = False) -> View:
    """What all of these see together, for every value alike; `at_most` where a value may well see less."""
    rows, columns = (reach.union(*(reach.full_view(a) for a in axes)) for axes in _axes(views))
    whole = View(rows, columns, (), _worst(views))
    return doubted(whole, "upper bound") if at_most else whole


def doubted(view: View, certainty: Certainty) -> View:
    """The view with no more certainty than that."""
    return replace(view, certainty=max(view.certainty, certainty, key=get_args(Certainty).index))


def _worst(views: Sequence[View]) -> Certainty:
    return max((view.certainty for view in views), key=get_args(Certainty).index)


def joined(views: Sequence[View], output: Tensor) -> View:
    """Each position from the same position of all; where places differ or do not fit, each from everything."""
    if len(views) == 1 and _fits(views[0], output):
        return views[0]
    varied = [view for view in views if not view.constant]
    if not varied:
        return replace(everything(views), place=views[0].place if _fits(views[0], output) else ())
    if any(view.place != varied[0].place for view in varied) or not _fits(varied[0], output):
        return everything(views, at_most=True)
    rows, columns = (reach.union(*axes) for axes in _axes(views))
    return View(rows, columns, varied[0].place, _worst(views))


def _axes(views: Sequence[View]) -> tuple[list[Axis], list[Axis]]:
    return [view.rows for view in views], [view.columns for view in views]


def _fits(view: View, output: Tensor) -> bool:
    """Whether a tensor has the view's rows and columns where the view says."""
    if not view.place or -min(view.place) > output.ndim:
        return False
    return _lengths(view) == [output.shape[d] for d in view.place]


def _lengths(view: View) -> list[int]:
    height, width = len(view.rows), len(view.columns)
    return [height, width] if len(view.place) == 2 else [height * width]


def moved(view: View, order: Sequence[int]) -> View:
    """After a permutation: dimension i of the output is dimension order[i] of the input, all counted from the first."""
    count = len(order)
    place = tuple(order.index(d % count) - count for d in view.place)
    ascending = list(place) == sorted(place)
    return replace(view, place=place) if ascending else everything([view], at_most=True)


def reshaped(view: View, before: Sequence[int], after: Sequence[int]) -> View:
    """After a change of shape: rows and columns as two dimensions, or as one, wherever they have come to lie."""
    if not view.place:
        return view
    height, width = len(view.rows), len(view.columns)
    ahead = prod(before[: len(before) + view.place[0]])
    for d in range(len(after)):
        if prod(after[:d]) != ahead:
            continue
        if list(after[d : d + 2]) == [height, width]:
            return replace(view, place=(d - len(after), d + 1 - len(after)))
        if after[d] == height * width and height * width > 1:
            return replace(view, place=(d - len(after),))
    return everything([view], at_most=True)

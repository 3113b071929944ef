"""A scene: grids of numbers, and for each output cell the inputs it is made of. What every view of the Layers page draws.

All numbers of a scene are exact float64; only `scene_data` rounds them, and only for display.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from segdemo.text import _

__all__ = ["Cell", "Grid", "Scene", "Tap", "digits", "scene_data", "shortened", "sum_line"]

Cell = tuple[int, int, int]
"""A place in a scene: number of the grid, row, column."""

DISPLAYED_DIGITS = 6  # significant, of what is sent to the browser
LINE_TERMS = 12  # terms that a line of arithmetic names before it says how many more there are
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Grid:
    """One matrix of cells. `values` (R, C); `kind` says how they are coloured.

    "picture": greys from 0 to 1 (beyond 1: to the largest value), "signed": diverging around 0, "count": from 0 upwards,
    "plain": without colour. −∞ stands for padding that never wins, NaN for a place where there is no cell. `title` is
    finished text that stands above the grid.
    """

    key: str
    title: str
    values: NDArray[np.float64]
    kind: Literal["picture", "signed", "count", "plain"]
    border: NDArray[np.bool_] | None = None
    """(R, C), True where a cell is padding."""
    source: NDArray[np.int64] | None = None
    """(R, C, 2): of a border cell, row and column in this grid of the cell whose value it repeats; −1 for zeros. Or (R, C, 3):
    grid, row and column, where it comes from another grid (a slice of a volume)."""
    marked: NDArray[np.bool_] | None = None
    """(R, C), cells that stand out: winners of a pooling, zeros that were put between."""
    tints: NDArray[np.int64] | None = None
    """(R, C): cells with the same number belong together and have the same tint, in all grids; for those without colour."""
    place: tuple[int, int] | None = None
    """(column, row) in the drawing, where grids are not simply side by side: channels stand above each other."""
    short: str = ""
    """The title where there is little room: "c0 · slice 1". Without one, what stands behind the title's last comma."""


@dataclass(frozen=True)
class Tap:
    """One input of an output cell: its place, the weight it is multiplied with and where that weight is drawn, the product.

    `weight` is None where there is none (a maximum); `weight_at` is None where the weight has no cell of its own.
    """

    grid: int
    row: int
    col: int
    weight: float | None = None
    weight_at: Cell | None = None
    product: float | None = None


@dataclass(frozen=True)
class Scene:
    """Grids, what each output cell is made of, and the same in a formula and in runnable code.

    `target` is the grid whose cells are explained first. `taps` are in the order in which they are played. `sums` has the
    arithmetic of each of these cells in one line. `formula` is a sentence with the shape formula filled in, `code` gives these
    numbers.
    """

    grids: tuple[Grid, ...]
    target: int
    taps: Mapping[Cell, tuple[Tap, ...]]
    sums: Mapping[Cell, str]
    formula: str
    code: str
    walk: Literal["gather", "scatter"] = "gather"
    """What a step of the animation is: an output cell with all its inputs, or an input cell with all it is added to."""
    told: Mapping[Cell, str] = field(default_factory=dict)
    """What is said of an input cell instead of how many cells it feeds: what it adds to them, or in which outputs they are."""
    links: tuple[tuple[Cell, Cell], ...] = ()
    """Arrows between cells, drawn where one of the two is looked at: a maximum and where it was found."""


def digits(value: float, *, brackets: bool = True) -> str:
    """A number as it stands in a line of arithmetic: three decimals (below 0.1 four), negatives in brackets.

    Below 0.001 and from 100 000 on three digits and a power of ten, 2.1·10⁻⁵: only 0 itself is written as 0. brackets: False
    for what stands alone, a result.
    """
    size = abs(value)
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "∞" if value > 0 else "−∞"
    if 1e-3 <= size < 1e5 or not size:
        text = f"{size:.{4 if size < 0.1 else 3}f}".rstrip("0").rstrip(".")
    else:
        front, power = f"{size:.2e}".split("e")
        text = f"{front.rstrip('0').rstrip('.')}·10{str(int(power)).translate(RAISED)}"
    return text if value >= 0 else f"(−{text})" if brackets else f"−{text}"


def shortened(terms: Iterable[str], count: int) -> list[str]:
    """The first of `count` terms of a line of arithmetic, and how many more there are. No more than are needed are taken."""
    first = [*islice(terms, LINE_TERMS)]
    return [*first, _("… {n} more", n=count - LINE_TERMS)] if count > LINE_TERMS else first


def sum_line(terms: list[tuple[float, float]], total: float, bias: float | None = None, parts: Sequence[str] = ()) -> str:
    """The arithmetic of a weighted sum: "1·0 + 2·(−1) + bias 1 = −1". terms: input and weight, in order.

    parts: words for the equal parts (input channels, slices) of which a sum consists; where it is too long, it says what each
    of them adds up to.
    """
    if len(terms) > LINE_TERMS and len(parts) > 1:
        size = len(terms) // len(parts)
        of_parts = [sum(v * w for v, w in terms[start : start + size]) for start in range(0, len(terms), size)]
        written = [f"{part}: {digits(part_sum)}" for part, part_sum in zip(parts, of_parts, strict=True)]
    else:
        written = shortened((f"{digits(value)}·{digits(weight)}" for value, weight in terms), len(terms))
    if bias is not None:
        written.append(_("bias {value}", value=digits(bias)))
    return f"{' + '.join(written) or '0'} = {digits(total, brackets=False)}"


def scene_data(scene: Scene) -> dict[str, Any]:
    """The scene as JSON for the component: arrays flattened, cells numbered through all grids, numbers rounded.

    `taps` has an entry a cell of `scene.taps`: its number, how many taps it has, its line of arithmetic. The taps themselves
    lie one after the other in `at` (input cell), `by` (cell of the weight, −1 for none), `weights` and `products`.
    """
    starts = np.concatenate([[0], np.cumsum([grid.values.size for grid in scene.grids])])
    widths: list[int] = [grid.values.shape[1] for grid in scene.grids]

    def number(cell: Cell) -> int:
        return int(starts[cell[0]] + cell[1] * widths[cell[0]] + cell[2])

    every = [tap for taps in scene.taps.values() for tap in taps]
    return {
        "grids": [_grid_data(grid, index, starts, widths) for index, grid in enumerate(scene.grids)],
        "target": scene.target,
        "walk": scene.walk,
        "cells": [[number(cell), len(taps), scene.sums.get(cell, "")] for cell, taps in scene.taps.items()],
        "at": [number((tap.grid, tap.row, tap.col)) for tap in every],
        "by": [-1 if tap.weight_at is None else number(tap.weight_at) for tap in every],
        "weights": [None if tap.weight is None else _rounded(tap.weight) for tap in every],
        "products": [None if tap.product is None else _rounded(tap.product) for tap in every],
        "told": [[number(cell), line] for cell, line in scene.told.items()],
        "links": [[number(start), number(end)] for start, end in scene.links],
        "formula": scene.formula,
        "code": scene.code,
    }


def _grid_data(grid: Grid, index: int, starts: NDArray[np.int64], widths: list[int]) -> dict[str, Any]:
    rows, columns = grid.values.shape
    data: dict[str, Any] = {
        "key": grid.key, "title": grid.title, "kind": grid.kind, "rows": rows, "columns": columns,
        "values": [_rounded(value) for value in grid.values.ravel().tolist()],
    }  # fmt: skip
    for name, flags in (("border", grid.border), ("marked", grid.marked)):
        if flags is not None and flags.any():
            data[name] = np.flatnonzero(flags).tolist()
    if grid.border is not None and grid.source is not None and grid.border.any():
        *other, row, column = np.moveaxis(grid.source, -1, 0)
        at = np.clip(other[0], 0, None) if other else np.full(row.shape, index)
        data["source"] = np.where(row < 0, -1, starts[at] + row * np.array(widths)[at] + column)[grid.border].tolist()
    if grid.tints is not None:
        data["tints"] = grid.tints.ravel().tolist()
    if grid.place is not None:
        data["place"] = list(grid.place)
    if grid.short:
        data["short"] = grid.short
    return data


def _rounded(value: float) -> float | str | None:
    """Six digits that count; whole numbers without a point, which JSON writes shorter. −∞ is None, no number at all is ""."""
    if not math.isfinite(value):
        return "" if math.isnan(value) else None
    short = float(f"{value:.{DISPLAYED_DIGITS}g}")
    return int(short) if short.is_integer() and abs(short) < 1e15 else short

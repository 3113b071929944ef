"""Pooling as a scene: the windows with their padding and what sticks out, the output, where each maximum was found.

`shift_scene` has the same picture twice, moved by some pixels, with what changed in the output marked.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from segdemo.layerlab.listing import HEAD, given
from segdemo.layerlab.pooling import Pooling, counted, max_pool, windows
from segdemo.layerlab.pooling_layer import Kind, Shrinking, changed, moved, shrunk
from segdemo.layerlab.scene import Cell, Grid, Scene, Tap, digits, shortened, sum_line
from segdemo.layerlab.sizes import each_axis, pooled_formula
from segdemo.text import _

__all__ = ["pooling_scene", "shift_scene"]

Float = NDArray[np.float64]
Flags = NDArray[np.bool_]
Colours = Literal["picture", "signed"]


@dataclass(frozen=True)
class _Drawn:
    """An input with all that windows look at around it; place (0, 0) of the input is at `origin`."""

    values: Float
    border: Flags
    origin: tuple[int, int]


def pooling_scene(image: Float, layer: Shrinking, *, picture: bool = False) -> Scene:
    """image (H, W). picture: coloured as greys from 0 to 1. Raises SettingError where the windows do not fit."""
    return _scene([(_("Input"), _("Output"), image)], layer, picture)


def shift_scene(wide: Float, layer: Shrinking, by: int, room: int, *, picture: bool = False) -> Scene:
    """The picture before and after it moved, see `moved`, beside each other; outputs that changed are marked."""
    before, after = moved(wide, by, room)
    others = changed(shrunk(before, layer), shrunk(after, layer))
    title = _("{n} of {all} changed", n=int(others.sum()), all=others.size)
    return _scene([(_("Before"), _("Output"), before), (_("Moved by {n}", n=by), title, after)], layer, picture)


def _scene(rows: list[tuple[str, str, Float]], layer: Shrinking, picture: bool) -> Scene:
    """rows: for each input the words above it and above its output, and the input itself."""
    settings, first = layer.windows_on(rows[0][2]), shrunk(rows[0][2], layer)
    grids: list[Grid] = []
    taps: dict[Cell, tuple[Tap, ...]] = {}
    sums: dict[Cell, str] = {}
    links: list[tuple[Cell, Cell]] = []
    above_kind: Colours = "picture" if picture else "signed"
    below_kind: Colours = "signed" if layer.weight is not None else above_kind
    for number, (above, below, image) in enumerate(rows):
        drawn, output = _drawn(image, layer.kind, settings), shrunk(image, layer)
        for cell, (found, line) in _taps(image, drawn, output, layer, (2 * number, 2 * number + 1, 2 * len(rows))).items():
            taps[cell], sums[cell] = found, line
        arrows = _winners(image, layer, drawn, 2 * number)
        links += arrows
        winners = np.zeros(drawn.values.shape, np.bool_)
        for (_grid, row, column), _cell in arrows:
            winners[row, column] = True
        others = changed(first, output)
        grids += [Grid(f"input{number}", above, drawn.values, above_kind, drawn.border, marked=winners, place=(3 * number, 0)),
                  Grid(f"output{number}", below, output, below_kind, marked=others, place=(3 * number + 2, 0))]  # fmt: skip
    if layer.weight is not None:
        grids.append(Grid("kernel", _("Kernel"), layer.weight, "signed", place=(1, 0)))
    formula, code = _formula(rows[0][2].shape, layer, settings), _code(rows[0][2], layer, settings)
    return Scene(tuple(grids), 1, taps, sums, formula, code, links=tuple(links))


def _winners(image: Float, layer: Shrinking, drawn: _Drawn, grid: int) -> list[tuple[Cell, Cell]]:
    """From where each maximum was found to the cell of the output, which is the next grid."""
    if layer.kind != "max":
        return []
    places = (max_pool(image, layer.settings)[1] + drawn.origin).tolist()
    return [((grid, *found), (grid + 1, row, column)) for row, line in enumerate(places) for column, found in enumerate(line)]


def _drawn(image: Float, kind: Kind, settings: Pooling) -> _Drawn:
    """The input with padding and with what windows stick out into; −∞ never wins, NaN is no cell and is not counted."""
    ends = [
        max([size + p, *(window[-1] + 1 for window in windows(size, settings, axis))])
        for axis, (size, p) in enumerate(zip(image.shape, settings.padding, strict=True))
    ]
    (top, left), (height, width) = settings.padding, image.shape
    values = np.full((ends[0] + top, ends[1] + left), np.nan)
    if kind in ("max", "strided") or settings.count_include_pad:
        values[: height + 2 * top, : width + 2 * left] = -np.inf if kind == "max" else 0.0
    border = np.ones(values.shape, np.bool_)
    inside = (slice(top, top + height), slice(left, left + width))
    values[inside], border[inside] = image, False
    return _Drawn(values, border, (top, left))


def _taps(
    image: Float, drawn: _Drawn, output: Float, layer: Shrinking, numbers: tuple[int, int, int]
) -> dict[Cell, tuple[tuple[Tap, ...], str]]:
    """Inputs and arithmetic of every output cell. numbers: of the input's, the output's and the kernel's grid."""
    settings = layer.windows_on(image)
    rows, columns = (windows(size, settings, axis) for axis, size in enumerate(image.shape))
    found = {}
    for r, c in np.ndindex(output.shape):
        counts = set(counted(rows[r], columns[c], image.shape, settings))
        taps, values = [], []
        for (i, y), (j, x) in ((a, b) for a in enumerate(rows[r]) for b in enumerate(columns[c])):
            row, column = y + drawn.origin[0], x + drawn.origin[1]
            value = float(drawn.values[row, column])
            weight, by = None, None
            if layer.weight is not None:
                weight, by = float(layer.weight[i, j]), (numbers[2], i, j)
            elif layer.kind != "max":
                weight = 1 / len(counts) if (y, x) in counts else 0.0
            product = None if weight is None else 0.0 if np.isnan(value) else value * weight
            taps.append(Tap(numbers[0], row, column, weight, by, product))
            values.append(value)
        line = _line(values, taps, float(output[r, c]), layer.kind, len(counts))
        found[(numbers[1], r, c)] = (tuple(taps), line)
    return found


def _line(values: list[float], taps: list[Tap], result: float, kind: Kind, count: int) -> str:
    """The arithmetic of a cell in one line."""
    if kind == "strided":
        return sum_line([(value, tap.weight or 0.0) for value, tap in zip(values, taps, strict=True)], result)
    used = [value for value in values if not np.isnan(value)]
    words = shortened(map(digits, used), len(used))
    total = digits(result, brackets=False)
    return f"max({', '.join(words)}) = {total}" if kind == "max" else f"({' + '.join(words)}) / {count} = {total}"


def _formula(shape: tuple[int, ...], layer: Shrinking, settings: Pooling) -> str:
    """The shape formula, filled in for rows and columns; once where they are alike."""
    if layer.kind == "global":
        return _("A single window as large as the input: {h} × {w} → 1 × 1", h=shape[0], w=shape[1])
    moves = zip(shape, settings.kernel, settings.stride, settings.padding, settings.dilation, strict=True)
    return each_axis([pooled_formula(*move, settings.ceil_mode) for move in moves])


def _code(image: Float, layer: Shrinking, settings: Pooling) -> str:
    """PyTorch, with which the same numbers come out."""
    lines = [HEAD, given("x", image[None, None])]
    options = f"stride={settings.stride}, padding={settings.padding}"
    if layer.weight is not None:
        lines.append(given("w", layer.weight[None, None]))
        lines.append(f"print(F.conv2d(x, w, {options}, dilation={settings.dilation}))")
    elif layer.kind == "max":
        more = f"dilation={settings.dilation}, ceil_mode={settings.ceil_mode}, return_indices=True"
        lines.append(f"print(F.max_pool2d(x, {settings.kernel}, {options}, {more}))")
    elif layer.kind == "average":
        more = f"ceil_mode={settings.ceil_mode}, count_include_pad={settings.count_include_pad}"
        lines.append(f"print(F.avg_pool2d(x, {settings.kernel}, {options}, {more}))")
    else:
        lines.append("print(F.adaptive_avg_pool2d(x, 1))")
    return "\n".join(lines)

"""Coverage as a scene: where kernels land, how often each cell is covered or seen, layer by layer or both axes at once."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from segdemo.layerlab.coverage import dilated_counts, landings, seen_from, transposed_counts, unseen_share
from segdemo.layerlab.listing import HEAD
from segdemo.layerlab.scene import Cell, Grid, Scene, Tap
from segdemo.layerlab.sizes import each_axis, transposed_formula
from segdemo.text import _

__all__ = ["checkerboard_scene", "gridding_scene", "layers_scene"]

Float = NDArray[np.float64]
Count = NDArray[np.int64]


def checkerboard_scene(size: int, kernel: int, stride: int, padding: int = 0) -> Scene:
    """One row of output cells under the kernels that land on it, their counts, and the counts of the whole picture.

    Along a row and down a column the counts are the same ones; a cell of the picture has the product of both.
    """
    hits, counts = landings(size, kernel, stride, padding), transposed_counts(size, kernel, stride, padding)
    grids = (
        Grid("landings", _("Along a row: the kernel of each of {n} inputs", n=size), hits.astype(float), "count", place=(0, 0)),
        Grid("profile", _("Kernels on each cell"), counts[None].astype(float), "count", place=(0, 1)),
        Grid("map", _("The whole output"), np.outer(counts, counts).astype(float), "count", place=(1, 0)),
    )
    taps: dict[Cell, tuple[Tap, ...]] = {}
    sums: dict[Cell, str] = {}
    for column, count in enumerate(counts.tolist()):
        taps[1, 0, column] = tuple(Tap(0, int(row), column, 1.0, None, 1.0) for row in np.flatnonzero(hits[:, column]))
        sums[1, 0, column] = _("{n} kernels land here", n=count) if count != 1 else _("one kernel lands here")
    _products(counts, 1, 2, taps, sums)
    formula = each_axis([transposed_formula(size, kernel, stride, padding)])
    return Scene(grids, 2, taps, sums, formula, _ones_code(size, kernel, stride, padding))


def _ones_code(size: int, kernel: int, stride: int, padding: int) -> str:
    return "\n".join((HEAD, f"x = torch.ones(1, 1, {size}, {size}, dtype=torch.float64)",
                      f"w = torch.ones(1, 1, {kernel}, {kernel}, dtype=torch.float64)",
                      f"print(F.conv_transpose2d(x, w, stride={stride}, padding={padding}))"))  # fmt: skip


def _products(counts: Count, profile: int, area: int, taps: dict[Cell, tuple[Tap, ...]], sums: dict[Cell, str]) -> None:
    """Every cell of the map: the count across times the count down."""
    for row, column in np.ndindex(len(counts), len(counts)):
        across, down = int(counts[column]), int(counts[row])
        taps[area, row, column] = (Tap(profile, 0, column, float(down), None, float(across * down)),)
        sums[area, row, column] = _("{a} across · {d} down = {n}", a=across, d=down, n=across * down)


def gridding_scene(stacks: Sequence[Sequence[int]], kernel: int = 3, *, told: bool = True) -> Scene:
    """For each stack of dilated convolutions: what one output cell sees of the input, and how often. The first is the target.

    Cells that it never sees are drawn as a border, without colour. told: titles and profiles say how many are seen;
    otherwise the profiles are outputs too, so that they are covered with them.
    """
    grids: list[Grid] = []
    taps: dict[Cell, tuple[Tap, ...]] = {}
    sums: dict[Cell, str] = {}
    for number, rates in enumerate(stacks):
        counts = dilated_counts(rates, kernel)
        area = np.outer(counts, counts)
        middle = np.zeros(area.shape, np.bool_)
        middle[len(counts) // 2, len(counts) // 2] = True
        _products(counts, 2 * number, 2 * number + 1, taps, sums)
        if not told:
            taps |= {(2 * number, 0, column): () for column in range(len(counts))}
        words, share = ", ".join(map(str, rates)), 1 - unseen_share(rates, kernel)
        title = _("Dilation rates {rates}", rates=words)
        seen = _("{title}: {share:.0%} seen", title=title, share=share) if told else title
        grids += [
            Grid(
                f"profile{number}", _("Ways, across"), counts[None].astype(float), "count", counts[None] == 0, place=(number, 1)
            ),
            Grid(f"map{number}", seen, area.astype(float), "count", area == 0, marked=middle, place=(number, 0), short=words),
        ]
    return Scene(
        tuple(grids), 1, taps, sums, "\n".join(_field_line(rates, kernel) for rates in stacks), _stack_code(stacks[0], kernel)
    )


def _field_line(rates: Sequence[int], kernel: int) -> str:
    parts = " + ".join(f"{rate}·({kernel} − 1)" for rate in rates)
    return f"1 + {parts} = {len(dilated_counts(rates, kernel))}"


def layers_scene(rates: Sequence[int], kernel: int = 3) -> Scene:
    """The same layer by layer: from one output cell down to the input, each count a sum of counts of the layer above."""
    grids = [Grid("level0", _("Output"), np.ones((1, 1)), "count")]
    taps: dict[Cell, tuple[Tap, ...]] = {}
    sums: dict[Cell, str] = {}
    along = np.ones(1, np.int64)
    for number, rate in enumerate(reversed(rates), start=1):
        above, along = along, seen_from(along, rate, kernel)
        title = _("Input, dilation rate {r}", r=rate) if number == len(rates) else _("Seen at dilation rate {r}", r=rate)
        area = np.outer(along, along)
        grids.append(Grid(f"level{number}", title, area.astype(float), "count", area == 0, short=_("Rate {r}", r=rate)))
        for row, column in np.ndindex(len(along), len(along)):
            taps[number, row, column] = _reached(np.outer(above, above), number - 1, row, column, rate, kernel)
            found = [str(int(tap.product or 0)) for tap in taps[number, row, column]]
            sums[number, row, column] = f"{' + '.join(found)} = {int(along[row] * along[column])}" if found else _("0: not seen")
    return Scene(tuple(grids), len(rates), taps, sums, _field_line(rates, kernel), _stack_code(rates, kernel))


def _reached(above: Count, grid: int, row: int, column: int, rate: int, kernel: int) -> tuple[Tap, ...]:
    """The cells of the layer above that look at this one and are themselves seen."""
    cells = [(row - i * rate, column - j * rate) for i in range(kernel) for j in range(kernel)]
    inside = [(y, x) for y, x in cells if 0 <= y < above.shape[0] and 0 <= x < above.shape[1] and above[y, x]]
    return tuple(Tap(grid, y, x, 1.0, None, float(above[y, x])) for y, x in inside)


def _stack_code(rates: Sequence[int], kernel: int) -> str:
    size = len(dilated_counts(rates, kernel))
    lines = [HEAD, f"x = torch.ones(1, 1, {size}, {size}, dtype=torch.float64, requires_grad=True)",
             f"w = torch.ones(1, 1, {kernel}, {kernel}, dtype=torch.float64)", "y = x"]  # fmt: skip
    lines += [f"y = F.conv2d(y, w, dilation={rate})" for rate in rates]
    cell, ways = _("y is a single cell"), _("in how many ways each input reaches it")
    lines += [f"y.sum().backward()  # {cell}", f"print(x.grad)  # {ways}"]
    return "\n".join(lines)

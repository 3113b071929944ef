"""Transposed convolution as scenes: kernels scattered over the output, and a convolution over a stretched input."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from segdemo.layerlab.listing import HEAD, given
from segdemo.layerlab.scene import Cell, Grid, Scene, Tap, digits, sum_line
from segdemo.layerlab.sizes import each_axis, transposed_formula
from segdemo.layerlab.transposed import Transposed, check_transposed, landed, scatter, stretch, stretched_convolution, turned
from segdemo.text import _

__all__ = ["scatter_scene", "stretch_scene"]

Float = NDArray[np.float64]
Place = tuple[int, int]
Landed = Mapping[Place, list[tuple[Place, Place]]]
"""For each cell of the output: which cells of the map reach it, with which weight of the kernel."""
ROWS_TOLD = 3  # of a multiple of the kernel, written out; of more, the first and the last


def scatter_scene(image: Float, weight: Float, settings: Transposed) -> Scene:
    """image (h, w), weight (kh, kw): each cell lays its multiple of the kernel over the output, where all add up.

    What padding cuts off is drawn as a border around the output. Raises SettingError as `scatter` does.
    """
    check_transposed(image.shape, weight.shape, settings)
    whole = replace(settings, padding=(0, 0))
    full = scatter(image[None], weight[None, None], whole)[0]
    (top, left), (rows, columns) = settings.padding, full.shape
    border = np.ones(full.shape, np.bool_)
    border[top : rows - top, left : columns - left] = False
    reached = landed((image.shape[0], image.shape[1]), (weight.shape[0], weight.shape[1]), whole)
    taps: dict[Cell, tuple[Tap, ...]] = {}
    sums: dict[Cell, str] = {}
    for row, column in np.ndindex(full.shape):
        parts = reached.get((row, column), [])
        products = [float(image[at] * weight[by]) for at, by in parts]
        taps[2, row, column] = tuple(
            Tap(0, *at, float(weight[by]), (1, *by), product) for (at, by), product in zip(parts, products, strict=True)
        )
        terms = [(float(image[at]), float(weight[by])) for at, by in parts]
        line = sum_line(terms, float(full[row, column])) if parts else _("0: nothing lands here")
        sums[2, row, column] = _("{line}, cut off by padding", line=line) if border[row, column] else line
    title = _("Output and what is cut off") if any(settings.padding) else _("Output")
    grids = (Grid("map", _("Small map"), image, "signed"), Grid("kernel", _("Kernel"), weight, "signed"),
             Grid("transposed", title, full, "signed", border))  # fmt: skip
    return Scene(grids, 2, taps, sums, _formula(image.shape, weight.shape, settings), _code(image, weight, settings), "scatter",
                 told=_added(image, weight, reached, border))  # fmt: skip


def _added(image: Float, weight: Float, landed: Landed, border: NDArray[np.bool_]) -> dict[Cell, str]:
    """Of every cell of the map: the multiple of the kernel that it adds, and how much of it padding cuts off."""
    lost = np.zeros(image.shape, np.int64)
    for place, parts in landed.items():
        for at, _by in parts:
            lost[at] += border[place]
    lines: dict[Cell, str] = {}
    for row, column in np.ndindex(image.shape):
        value, cut = float(image[row, column]), int(lost[row, column])
        product = _rows(value * weight)
        line = _("{value} × kernel = {product}, added to what is already there", value=digits(value), product=product)
        more = _("; {n} of {all} are cut off by padding", n=cut, all=weight.size) if cut else ""
        lines[0, row, column] = line + more
    return lines


def _rows(product: Float) -> str:
    """A matrix in a line, a stroke between its rows; of a larger one the first and the last."""
    rows = [" ".join(digits(value, brackets=False) for value in row) for row in product.tolist()]
    return " / ".join(rows if len(rows) <= ROWS_TOLD else [rows[0], "…", rows[-1]])


def stretch_scene(image: Float, weight: Float, settings: Transposed) -> Scene:
    """The same numbers as a convolution with stride 1: zeros between the cells and around them, the kernel turned by 180°."""
    output = stretched_convolution(image[None], weight[None, None], settings)[0]
    wide, kernel = stretch(image[None], weight.shape, settings)[0], turned(weight[None, None])[0, 0]
    zeros, links = _stretched_places(image.shape, weight.shape, wide.shape, settings)
    taps: dict[Cell, tuple[Tap, ...]] = {}
    sums: dict[Cell, str] = {}
    for row, column in np.ndindex(output.shape):
        places = [
            ((row + i * settings.dilation[0], column + j * settings.dilation[1]), (i, j)) for i, j in np.ndindex(kernel.shape)
        ]
        taps[3, row, column] = tuple(Tap(1, *at, float(kernel[by]), (2, *by), float(wide[at] * kernel[by])) for at, by in places)
        used = [(float(wide[at]), float(kernel[by])) for at, by in places if not zeros[at]]
        line = sum_line(used, float(output[row, column])) if used else _("0: only zeros under the kernel")
        sums[3, row, column] = line
    grids = (
        Grid("map", _("Small map"), image, "signed"), Grid("stretched", _("Stretched"), wide, "signed", zeros),
        Grid("turned", _("Kernel, turned by 180°"), kernel, "signed", short=_("Kernel, turned")),
        Grid("transposed", _("Output"), output, "signed"),
    )  # fmt: skip
    code = f"{_code(image, weight, settings)}\n# {_('the same as')}\n{_stretched_code(wide, settings)}"
    return Scene(grids, 3, taps, sums, _formula(image.shape, weight.shape, settings), code, links=tuple(links))


def _stretched_places(
    shape: tuple[int, ...], kernel: tuple[int, ...], wide: tuple[int, ...], settings: Transposed
) -> tuple[NDArray[np.bool_], list[tuple[Cell, Cell]]]:
    """Which cells of the stretched map are zeros that were put in, and from where in the map the others come."""
    starts = [d * (k - 1) - p for d, k, p in zip(settings.dilation, kernel, settings.padding, strict=True)]
    zeros = np.ones(wide, np.bool_)
    links: list[tuple[Cell, Cell]] = []
    for row, column in np.ndindex(shape):
        y, x = row * settings.stride[0] + starts[0], column * settings.stride[1] + starts[1]
        if 0 <= y < wide[0] and 0 <= x < wide[1]:
            zeros[y, x] = False
            links.append(((0, row, column), (1, y, x)))
    return zeros, links


def _formula(shape: tuple[int, ...], kernel: tuple[int, ...], settings: Transposed) -> str:
    moves = zip(shape, kernel, settings.stride, settings.padding, settings.output_padding, settings.dilation, strict=True)
    return each_axis([transposed_formula(*move) for move in moves])


def _code(image: Float, weight: Float, settings: Transposed) -> str:
    options = f"stride={settings.stride}, padding={settings.padding}, output_padding={settings.output_padding}"
    return "\n".join((
        HEAD,
        given("x", image[None, None]),
        given("w", weight[None, None]),
        f"print(F.conv_transpose2d(x, w, None, {options}, dilation={settings.dilation}))",
    ))  # fmt: skip


def _stretched_code(wide: Float, settings: Transposed) -> str:
    convolution = f"print(F.conv2d(wide, w.flip(2, 3), dilation={settings.dilation}))"
    return f"{given('wide', wide[None, None])}\n{convolution}"

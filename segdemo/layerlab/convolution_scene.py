"""A convolution as a scene: padded input, kernels and output as grids, every sum with its products, formula and code.

Channels stand above each other, filters side by side. A volume's slices stand above each other within their channel.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from segdemo.layerlab.convolution import Arithmetic, Float, border_source, convolve, inputs_of, pad
from segdemo.layerlab.listing import literal
from segdemo.layerlab.scene import Cell, Grid, Scene, Tap, sum_line
from segdemo.layerlab.sizes import convolved_formula, each_axis
from segdemo.text import _

__all__ = ["convolution_scene"]

Kind = Literal["picture", "signed"]


@dataclass(frozen=True)
class _Sheets:
    """Where the elements of an array with leading axes (block, depth) lie: one grid of the scene a (block, depth)."""

    first: int
    depths: int

    def cell(self, block: int, place: Sequence[int]) -> Cell:
        """place: (column), (row, column) or (depth, row, column)."""
        depth, row, column = (*[0] * (3 - len(place)), *place)
        return self.first + block * self.depths + depth, row, column


def convolution_scene(image: Float, weight: Float, bias: Float | None, settings: Arithmetic, *, picture: bool = False) -> Scene:
    """image (C, …), weight (filters, C / groups, …), bias (filters,) or None, one to three axes of space.

    picture: the input is coloured as greys; so is the output where the weights add up to about 1, a picture again.
    Raises SettingError as `convolve` does.
    """
    output = convolve(image, weight, bias, settings)
    padded = pad(image, settings.padding, settings.mode)
    inputs = _input_grids(padded, image.shape[1:], settings, picture)
    kernels = _kernel_grids(weight, settings)
    starts = (0, len(inputs), len(inputs) + len(kernels))
    depths = ((array.shape[-3] if image.ndim == 4 else 1) for array in (padded, weight, output))
    sheets = [_Sheets(start, depth) for start, depth in zip(starts, depths, strict=True)]
    taps, sums = _taps(output, padded, weight, bias, settings, sheets)
    again = picture and bool((weight.reshape(len(weight), -1).sum(axis=1) > 0.5).all()) and len(image) == 1
    outputs = _output_grids(output, 2 if weight.shape[1] == 1 else 1 + weight.shape[0], "picture" if again else "signed")
    return Scene((*inputs, *kernels, *outputs), len(inputs) + len(kernels), taps, sums,
                 _formula(image.shape[1:], weight.shape[2:], settings), _code(image, weight, bias, settings))  # fmt: skip


def _matrix(array: Float) -> Float:
    """A row of cells where there is one axis of space."""
    return np.atleast_2d(array)


class _Title(NamedTuple):
    """What stands above a grid, and the same where there is little room; "" where the long one always finds room."""

    full: str
    short: str = ""


def _matrices(block: Float) -> list[Float]:
    """The matrices of one channel (…): itself, or the slices of a volume."""
    return [_matrix(block)] if block.ndim < 3 else list(block)


def _slices(block: Float, title: _Title) -> list[tuple[_Title, Float]]:
    """The matrices of one channel (…), each with its title."""
    if block.ndim < 3:
        return [(title, _matrix(block))]
    named = []
    for number, matrix in enumerate(block):
        part = _("slice {n}", n=number)
        short = f"{title.short} s{number}" if " " in title.short else f"{title.short} · {part}" if title.short else part
        named.append((_Title(_("{title}, slice {n}", title=title.full, n=number), short), matrix))
    return named


def _input_grids(padded: Float, sizes: tuple[int, ...], settings: Arithmetic, picture: bool) -> list[Grid]:
    border, source = _border(sizes, settings)
    grids: list[Grid] = []
    for channel, block in enumerate(padded):
        name = _Title(_("Input")) if len(padded) == 1 else _Title(_("Input channel {n}", n=channel), f"c{channel}")
        for depth, (title, matrix) in enumerate(_slices(block, name)):
            edge, origin = (
                (border, source) if border.ndim == 2 else (border[depth], source[depth] + [channel * len(padded[0]), 0, 0])
            )
            grids.append(Grid(
                f"input{channel}_{depth}", title.full, matrix, "picture" if picture else "signed", edge, origin,
                place=(0, len(grids)), short=title.short,
            ))  # fmt: skip
    return grids


def _border(sizes: tuple[int, ...], settings: Arithmetic) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Which cells are padding, and the cell of the same matrix each repeats, (…, R, C, 2).

    In a volume a cell can repeat one of another slice: (…, R, C, 3) with the number of that slice first.
    """
    axes = [border_source(size, p, settings.mode) for size, p in zip(sizes, settings.padding, strict=True)]
    inside = [np.isin(np.arange(len(a)), np.arange(p, len(a) - p)) for a, p in zip(axes, settings.padding, strict=True)]
    border = ~np.logical_and.reduce(np.meshgrid(*inside, indexing="ij"))
    found = np.meshgrid(*axes, indexing="ij")
    missing = np.logical_or.reduce([f < 0 for f in found])
    shifted = [np.where(missing, -1, f + p) for f, p in zip(found, settings.padding, strict=True)]
    if len(sizes) == 1:
        return border[None], np.stack([np.where(missing, -1, 0), shifted[0]], axis=-1)[None]
    return border, np.stack(shifted, axis=-1)


def _kernel_grids(weight: Float, settings: Arithmetic) -> list[Grid]:
    filters, channels = weight.shape[:2]
    grids = []
    for chosen, channel in product(range(filters), range(channels)):
        group = chosen // (filters // settings.groups) * channels
        slices = _slices(weight[chosen, channel], _kernel_title(chosen, group + channel, weight, settings))
        for depth, (title, matrix) in enumerate(slices):
            column, row = (0, chosen) if channels == 1 else (chosen, channel)  # filters of one channel stand above each other
            place = (1 + column, row * len(slices) + depth)
            key = f"kernel{chosen}_{channel}_{depth}"
            grids.append(Grid(key, title.full, matrix, "signed", place=place, short=title.short))
    return grids


def _kernel_title(chosen: int, channel: int, weight: Float, settings: Arithmetic) -> _Title:
    filters, channels = weight.shape[:2]
    if channels == 1 and settings.groups == 1:
        return _Title(_("Kernel")) if filters == 1 else _Title(_("Filter {n}", n=chosen), f"f{chosen}")
    if filters == 1:
        return _Title(_("Kernel, channel {n}", n=channel), f"c{channel}")
    return _Title(_("Filter {f}, channel {n}", f=chosen, n=channel), f"f{chosen} c{channel}")


def _output_grids(output: Float, column: int, kind: Kind) -> list[Grid]:
    grids: list[Grid] = []
    for channel, block in enumerate(output):
        name = _("Output") if len(output) == 1 else _("Output channel {n}", n=channel)
        titled = _Title(name) if len(output) == 1 else _Title(name, _("out {n}", n=channel))
        for depth, (title, matrix) in enumerate(_slices(block, titled)):
            place = (column, len(grids))
            grids.append(Grid(f"output{channel}_{depth}", title.full, matrix, kind, place=place, short=title.short))
    return grids


def _taps(
    output: Float, padded: Float, weight: Float, bias: Float | None, settings: Arithmetic, sheets: Sequence[_Sheets]
) -> tuple[dict[Cell, tuple[Tap, ...]], dict[Cell, str]]:
    """Inputs and arithmetic of every output cell; all filters of one place come one after the other."""
    taps: dict[Cell, tuple[Tap, ...]] = {}
    sums: dict[Cell, str] = {}
    values = [matrix.tolist() for block in padded for matrix in _matrices(block)]  # by the number of the grid
    channels = weight.shape[1]
    several = [_("channel {n}", n=n) for n in range(channels)]
    parts = [_("slice {n}", n=n) for n in range(weight.shape[2])] if weight.ndim == 5 and channels == 1 else several
    windows = [_window(chosen, weight, settings, sheets) for chosen in range(len(weight))]
    moves = (0,) * (3 - len(settings.stride)) + settings.stride
    for *place, chosen in product(*map(range, (*output.shape[1:], output.shape[0]))):
        cell = sheets[2].cell(chosen, place)
        depth, down, right = (at * move for at, move in zip((0,) * (3 - len(place)) + tuple(place), moves, strict=True))
        found, terms = [], []
        for (grid, row, column), factor, by in windows[chosen]:
            value = values[grid + depth][row + down][column + right]
            found.append(Tap(grid + depth, row + down, column + right, factor, by, value * factor))
            terms.append((value, factor))
        taps[cell] = tuple(found)
        sums[cell] = sum_line(terms, float(output[(chosen, *place)]), None if bias is None else float(bias[chosen]), parts)
    return taps, sums


def _window(chosen: int, weight: Float, settings: Arithmetic, sheets: Sequence[_Sheets]) -> list[tuple[Cell, float, Cell]]:
    """What the first cell of a filter is made of: input cells, weights and where these are. At other places it is moved."""
    sources = inputs_of((chosen, *[0] * (weight.ndim - 2)), weight.shape, settings)
    return [
        (sheets[0].cell(at[0], at[1:]), float(weight[by]), sheets[1].cell(chosen * weight.shape[1] + by[1], by[2:]))
        for at, by in sources
    ]


def _formula(sizes: tuple[int, ...], kernel: tuple[int, ...], settings: Arithmetic) -> str:
    """The shape formula, filled in for every axis; once where all axes are alike."""
    moves = zip(sizes, kernel, settings.stride, settings.padding, settings.dilation, strict=True)
    return each_axis([convolved_formula(*move) for move in moves])


def _code(image: Float, weight: Float, bias: Float | None, settings: Arithmetic) -> str:
    """PyTorch, with which the same numbers come out."""
    axes = image.ndim - 1
    lines = ["import torch, torch.nn.functional as F", f"x = torch.tensor({literal(image[None])}, dtype=torch.float64)",
             f"w = torch.tensor({literal(weight)}, dtype=torch.float64)"]  # fmt: skip
    if settings.flipped:
        lines.append(f"w = w.flip({', '.join(str(-a) for a in range(axes, 0, -1))})  # {_('a true convolution')}")
    if bias is not None:
        lines.append(f"b = torch.tensor({literal(bias)}, dtype=torch.float64)")
    padding = f"{settings.padding}" if settings.mode == "zeros" else "0"
    if settings.mode != "zeros":
        sides = tuple(p for amount in reversed(settings.padding) for p in (amount, amount))
        lines.append(f'x = F.pad(x, {sides}, mode="{settings.mode}")')
    options = f"stride={settings.stride}, padding={padding}, dilation={settings.dilation}, groups={settings.groups}"
    lines.append(f"print(F.conv{axes}d(x, w, {'b' if bias is not None else 'None'}, {options}))")
    return "\n".join(lines)

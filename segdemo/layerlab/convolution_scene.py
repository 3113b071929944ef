"""A convolution as a scene: its grids, every sum with its products, formula and code."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from segdemo.layerlab.convolution import Arithmetic, Float, convolve, inputs_of, pad
from segdemo.layerlab.convolution_grids import input_grids, kernel_grids, matrices, output_grids
from segdemo.layerlab.listing import HEAD, given
from segdemo.layerlab.scene import Cell, Scene, Tap, sum_line
from segdemo.layerlab.sizes import convolved_formula, each_axis
from segdemo.text import _

__all__ = ["convolution_scene"]

SAME_SUM = 1e-3  # how near to 1 weights add up: the address keeps four decimals of each


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

    picture: the input is coloured as greys; so is the output where the weights of every filter add up to 1: what is evenly grey
    stays as it is, and the output is a picture again.
    Raises SettingError as `convolve` does.
    """
    output = convolve(image, weight, bias, settings)
    padded = pad(image, settings.padding, settings.mode)
    inputs = input_grids(padded, image.shape[1:], settings, picture)
    kernels = kernel_grids(weight, settings)
    starts = (0, len(inputs), len(inputs) + len(kernels))
    depths = ((array.shape[-3] if image.ndim == 4 else 1) for array in (padded, weight, output))
    sheets = [_Sheets(start, depth) for start, depth in zip(starts, depths, strict=True)]
    taps, sums = _taps(output, padded, weight, bias, settings, sheets)
    again = picture and len(image) == 1 and _keeps_greys(weight)
    outputs = output_grids(output, 2 if weight.shape[1] == 1 else 1 + weight.shape[0], "picture" if again else "signed")
    return Scene((*inputs, *kernels, *outputs), len(inputs) + len(kernels), taps, sums,
                 _formula(image.shape[1:], weight.shape[2:], settings), _code(image, weight, bias, settings))  # fmt: skip


def _keeps_greys(weight: Float) -> bool:
    """Whether the weights of every filter (filters, …) add up to 1."""
    return bool((abs(weight.reshape(len(weight), -1).sum(axis=1) - 1) < SAME_SUM).all())


def _taps(
    output: Float, padded: Float, weight: Float, bias: Float | None, settings: Arithmetic, sheets: Sequence[_Sheets]
) -> tuple[dict[Cell, tuple[Tap, ...]], dict[Cell, str]]:
    """Inputs and arithmetic of every output cell; all filters of one place come one after the other."""
    taps: dict[Cell, tuple[Tap, ...]] = {}
    sums: dict[Cell, str] = {}
    values = [matrix.tolist() for block in padded for matrix in matrices(block)]  # by the number of the grid
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
    lines = [HEAD, given("x", image[None]), given("w", weight)]
    if settings.flipped:
        lines.append(f"w = w.flip({', '.join(str(-a) for a in range(axes, 0, -1))})  # {_('a true convolution')}")
    if bias is not None:
        lines.append(given("b", bias))
    padding = f"{settings.padding}" if settings.mode == "zeros" else "0"
    if settings.mode != "zeros":
        sides = tuple(p for amount in reversed(settings.padding) for p in (amount, amount))
        lines.append(f'x = F.pad(x, {sides}, mode="{settings.mode}")')
    options = f"stride={settings.stride}, padding={padding}, dilation={settings.dilation}, groups={settings.groups}"
    lines.append(f"print(F.conv{axes}d(x, w, {'b' if bias is not None else 'None'}, {options}))")
    return "\n".join(lines)

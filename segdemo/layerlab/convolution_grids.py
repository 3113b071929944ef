"""The grids of a convolution's scene: padded input, kernels and output, with their titles and places in the drawing.

Channels stand above each other, filters side by side. A volume's slices stand above each other within their channel.
"""

from itertools import product
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from segdemo.layerlab.convolution import Arithmetic, Float, border_source
from segdemo.layerlab.scene import Grid
from segdemo.text import _

__all__ = ["Kind", "input_grids", "kernel_grids", "matrices", "output_grids"]

Kind = Literal["picture", "signed"]


def _matrix(array: Float) -> Float:
    """A row of cells where there is one axis of space."""
    return np.atleast_2d(array)


class _Title(NamedTuple):
    """What stands above a grid, and the same where there is little room; "" where the long one always finds room."""

    full: str
    short: str = ""


def matrices(block: Float) -> list[Float]:
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


def input_grids(padded: Float, sizes: tuple[int, ...], settings: Arithmetic, picture: bool) -> list[Grid]:
    """A grid a channel (and slice) of the padded input (C, …). sizes: without padding; picture: coloured as greys."""
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


def kernel_grids(weight: Float, settings: Arithmetic) -> list[Grid]:
    """A grid a filter and channel (and slice) of the weights (filters, C / groups, …)."""
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


def output_grids(output: Float, column: int, kind: Kind) -> list[Grid]:
    """A grid a channel (and slice) of the output (filters, …). column: of the drawing; kind: how the cells are coloured."""
    grids: list[Grid] = []
    for channel, block in enumerate(output):
        name = _("Output") if len(output) == 1 else _("Output channel {n}", n=channel)
        titled = _Title(name) if len(output) == 1 else _Title(name, _("out {n}", n=channel))
        for depth, (title, matrix) in enumerate(_slices(block, titled)):
            place = (column, len(grids))
            grids.append(Grid(f"output{channel}_{depth}", title.full, matrix, kind, place=place, short=title.short))
    return grids

"""Max-unpooling as a scene: an encoder's map, its maxima, and the maxima back at the places where they were found.

Windows may be larger than their stride, so that one maximum is that of several windows, or smaller, so that no window looks
at some cells.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from segdemo.layerlab.listing import HEAD, given
from segdemo.layerlab.pooling import Pooling, max_pool
from segdemo.layerlab.pooling_layer import Shrinking
from segdemo.layerlab.pooling_scene import pooling_scene
from segdemo.layerlab.scene import Cell, Grid, Scene, Tap, digits
from segdemo.layerlab.sizes import each_axis, transposed_formula, transposed_size
from segdemo.layerlab.unpooling import max_unpool
from segdemo.text import _

__all__ = ["unpooling_scene"]

Float = NDArray[np.float64]
Place = tuple[int, int]
PICTURE, POOLED, OUTPUT = range(3)


def unpooling_scene(picture: Float, settings: Pooling) -> Scene:
    """picture (H, W) → its maxima (h, w) → back to (H, W). settings without dilation and `ceil_mode`, which have no way back.

    Raises SettingError where the windows do not fit.
    """
    first = pooling_scene(picture, Shrinking("max", settings))
    pooled, switches = max_pool(picture, settings)
    output = max_unpool(pooled, switches, (picture.shape[0], picture.shape[1]))
    writers = _writers(switches)
    marked = np.zeros(output.shape, np.bool_)
    for place in writers:
        marked[place] = True
    grids = (
        replace(first.grids[PICTURE], key="picture", title=_("Encoder's map"), place=None),
        replace(first.grids[POOLED], key="map", title=_("Its maxima"), place=None),
        Grid("unpooled", _("Unpooled"), output, "signed", marked=marked),
    )
    taps, sums = _back(output, writers)
    links = tuple(((POOLED, *cell), (OUTPUT, *place)) for place, cells in writers.items() for cell in cells)
    formula = each_axis([
        transposed_formula(n, k, s, p, size - transposed_size(n, k, s, p))
        for n, size, k, s, p in zip(pooled.shape, picture.shape, settings.kernel, settings.stride, settings.padding, strict=True)
    ])  # fmt: skip
    return Scene(grids, OUTPUT, {**first.taps, **taps}, {**first.sums, **sums}, formula, _code(picture, settings),
                 links=(*first.links, *links))  # fmt: skip


def _writers(switches: NDArray[np.int64]) -> dict[Place, list[Place]]:
    """For each place that gets a value, the cells of the pooled map that have it."""
    found: dict[Place, list[Place]] = {}
    for row, column in np.ndindex(switches.shape[:2]):
        found.setdefault((int(switches[row, column, 0]), int(switches[row, column, 1])), []).append((row, column))
    return found


def _back(output: Float, writers: dict[Place, list[Place]]) -> tuple[dict[Cell, tuple[Tap, ...]], dict[Cell, str]]:
    """Of every cell of the output: who writes it, and the same in words. Several write one number; nothing is added."""
    taps: dict[Cell, tuple[Tap, ...]] = {}
    sums: dict[Cell, str] = {}
    for place in np.ndindex(output.shape):
        cell, cells = (OUTPUT, int(place[0]), int(place[1])), writers.get((int(place[0]), int(place[1])), [])
        taps[cell] = tuple(Tap(POOLED, *at) for at in cells)
        value = digits(float(output[place]), brackets=False)
        if len(cells) > 1:
            sums[cell] = _("{value}: the maximum of {n} windows, written once and not added", value=value, n=len(cells))
        elif cells:
            sums[cell] = _("{value}: the maximum of one window, back where it was found", value=value)
        else:
            sums[cell] = _("0: no window found its maximum here")
    return taps, sums


def _code(picture: Float, settings: Pooling) -> str:
    """PyTorch, with which the same numbers come out."""
    moves = f"{settings.kernel}, stride={settings.stride}, padding={settings.padding}"
    return "\n".join((
        HEAD,
        given("x", picture[None, None]),
        f"y, switches = F.max_pool2d(x, {moves}, return_indices=True)",
        f"print(F.max_unpool2d(y, switches, {moves}, output_size=x.shape[-2:]))",
    ))  # fmt: skip

"""Up-sampling without a kernel as scenes: one small map, larger by nearest, bilinear or pixel shuffle, cell by cell."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from segdemo.layerlab.listing import HEAD, given
from segdemo.layerlab.scene import Cell, Grid, Scene, Tap, digits
from segdemo.layerlab.sizes import each_axis
from segdemo.layerlab.upsampling import bilinear, linear_weights, nearest, pixel_shuffle, shuffle_source
from segdemo.layerlab.upsampling_tables import spread, weighted_bilinear, weighted_nearest
from segdemo.text import _

__all__ = ["ALIGNED", "bilinear_scene", "channel_weights", "factor_formula", "nearest_scene", "shuffle_scene"]

Float = NDArray[np.float64]
Place = tuple[int, int]
ALIGNED = {False: "align_corners=False", True: "align_corners=True"}


def factor_formula(shape: tuple[int, ...], factor: int) -> str:
    """Output size of what makes a map (h, w) a whole number of times as large, as a sentence."""
    return each_axis([f"{size}·{factor} = {size * factor}" for size in shape])


def channel_weights(factor: int, alike: bool) -> Float:
    """(r²,) weights of the 1×1 convolution that makes a map's channels: all 1, or 1, ½, 1½, 1 and again."""
    return np.ones(factor**2) if alike else np.resize([1.0, 0.5, 1.5, 1.0], factor**2)


def nearest_scene(image: Float, factor: int) -> Scene:
    """image (h, w) → (h·r, w·r)."""
    shape = (image.shape[0] * factor, image.shape[1] * factor)
    output = nearest(image, shape)
    taps, sums = spread(1, weighted_nearest(image, shape), image, output)
    grids = (_map(image), Grid("nearest", _("Nearest"), output, "signed"))
    code = "\n".join((HEAD, given("x", image[None, None]), f'print(F.interpolate(x, scale_factor={factor}, mode="nearest"))'))
    return Scene(grids, 1, taps, sums, factor_formula(image.shape, factor), code)


def bilinear_scene(image: Float, factor: int) -> Scene:
    """Both ways to lay the larger grid over the smaller one, side by side."""
    shape = (image.shape[0] * factor, image.shape[1] * factor)
    taps: dict[Cell, tuple[Tap, ...]] = {}
    sums: dict[Cell, str] = {}
    grids = [_map(image)]
    for number, aligned in ((1, False), (2, True)):
        output = bilinear(image, shape, aligned)
        found = spread(number, weighted_bilinear(image, shape, aligned), image, output, _where(image, shape, aligned))
        taps |= found[0]
        sums |= found[1]
        grids.append(Grid(f"bilinear{number}", ALIGNED[aligned], output, "signed"))
    taps = dict(sorted(taps.items(), key=lambda entry: (entry[0][1:], entry[0][0])))  # both grow together
    lines = [f'print(F.interpolate(x, scale_factor={factor}, mode="bilinear", align_corners={flag}))' for flag in (False, True)]
    code = "\n".join((HEAD, given("x", image[None, None]), *lines))
    return Scene(tuple(grids), 1, taps, sums, factor_formula(image.shape, factor), code)


def _where(image: Float, shape: Place, aligned: bool) -> Callable[[Place], str]:
    """Where the middle of an output cell lies in the map."""

    def words(place: Place) -> str:
        row, column = (
            sum(cell * share for cell, share in linear_weights(at, n, m, aligned))
            for at, n, m in zip(place, image.shape, shape, strict=True)
        )
        return _("looks at row {row}, column {column} of the map: ", row=digits(row), column=digits(column))

    return words


def shuffle_scene(image: Float, factor: int, weights: Float) -> Scene:
    """The map's r² channels, each a multiple of it, and the picture whose blocks they fill."""
    channels = weights[:, None, None] * image
    output = pixel_shuffle(channels, factor)[0]
    grids = [
        Grid(f"channel{number}", _("Channel {n}", n=number), channel, "signed", place=(number % factor, number // factor))
        for number, channel in enumerate(channels)
    ]
    last = len(grids)
    grids.append(Grid("shuffled", _("Shuffled"), output, "signed", place=(factor, 0)))
    taps: dict[Cell, tuple[Tap, ...]] = {}
    sums: dict[Cell, str] = {}
    for row, column in np.ndindex(output.shape):
        channel, y, x = shuffle_source(0, row, column, factor)
        taps[last, row, column] = (Tap(channel, y, x, 1.0, None, float(output[row, column])),)
        sums[last, row, column] = _("channel {k} = {i}·{r} + {j}: place ({i}, {j}) of the block, = {value}",
                                    k=channel, r=factor, i=row % factor, j=column % factor,
                                    value=digits(output[row, column], brackets=False))  # fmt: skip
    count = _("Channels: {n} / {r}² = 1", n=factor**2, r=factor)
    code = "\n".join((HEAD, given("x", channels[None]), f"print(F.pixel_shuffle(x, {factor}))"))
    return Scene(tuple(grids), last, taps, sums, f"{factor_formula(image.shape, factor)}\n{count}", code)


def _map(image: Float) -> Grid:
    return Grid("map", _("Small map"), image, "signed")

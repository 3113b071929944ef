"""Up-sampling as scenes: one small map, larger by each method, every output cell with the cells and weights it is made of.

Each method is a table of weights, output place → map places with their shares, taken from the arithmetic of its own module.
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from segdemo.layerlab.listing import literal
from segdemo.layerlab.scene import Cell, Grid, Scene, Tap, digits, sum_line
from segdemo.layerlab.upsampling import bilinear, linear_weights, nearest, nearest_source, pixel_shuffle, shuffle_source
from segdemo.text import _

__all__ = [
    "ALIGNED", "Weighted", "bilinear_scene", "channel_weights", "nearest_scene", "picture_of_maxima", "shuffle_scene", "spread",
    "weighted_bilinear", "weighted_nearest", "weighted_shuffle", "weighted_unpooling",
]  # fmt: skip

Float = NDArray[np.float64]
Place = tuple[int, int]
Weighted = Mapping[Place, list[tuple[Place, float]]]
"""For each output place, the places of the map that it is made of, with their weights."""
ALIGNED = {False: "align_corners=False", True: "align_corners=True"}
HEAD = "import torch, torch.nn.functional as F"


def spread(
    grids: Mapping[int, Weighted],
    image: Float,
    outputs: Mapping[int, Float],
    start: int = 0,
    note: Callable[[Place], str] | None = None,
) -> tuple[dict[Cell, tuple[Tap, ...]], dict[Cell, str]]:
    """Taps and arithmetic of the output grids, all made of the map `image` (h, w), which is grid number `start`.

    note: words that stand before the arithmetic of a place.
    """
    taps: dict[Cell, tuple[Tap, ...]] = {}
    sums: dict[Cell, str] = {}
    for number, weighted in grids.items():
        for place in np.ndindex(outputs[number].shape):
            row, column = (int(at) for at in place)
            parts = weighted.get((row, column), [])
            taps[number, row, column] = tuple(Tap(start, *at, w, None, float(image[at]) * w) for at, w in parts)
            line = sum_line([(float(image[at]), w) for at, w in parts], float(outputs[number][place]))
            sums[number, row, column] = (note((row, column)) if note else "") + (line if parts else _("0: nothing comes here"))
    return taps, sums


def weighted_nearest(image: Float, shape: Place) -> Weighted:
    """One cell each, as it is."""
    h, w = image.shape
    return {(r, c): [((nearest_source(r, h, shape[0]), nearest_source(c, w, shape[1])), 1.0)] for r, c in np.ndindex(shape)}


def weighted_bilinear(image: Float, shape: Place, align_corners: bool) -> Weighted:
    """Up to four cells each."""
    h, w = image.shape
    return {
        (r, c): [((y, x), down * across) for y, down in linear_weights(r, h, shape[0], align_corners)
                 for x, across in linear_weights(c, w, shape[1], align_corners)]
        for r, c in np.ndindex(shape)
    }  # fmt: skip


def weighted_unpooling(switches: NDArray[np.int64]) -> Weighted:
    """Each value where its switch points."""
    return {(int(switches[r, c, 0]), int(switches[r, c, 1])): [((r, c), 1.0)] for r, c in np.ndindex(switches.shape[:2])}


def weighted_shuffle(image: Float, factor: int, weights: Float) -> Weighted:
    """One cell each, times the weight of the channel that stands for its place in the block."""
    shape = (image.shape[0] * factor, image.shape[1] * factor)
    sources = {(r, c): shuffle_source(0, r, c, factor) for r, c in np.ndindex(shape)}
    return {place: [((y, x), float(weights[channel]))] for place, (channel, y, x) in sources.items()}


def channel_weights(factor: int, alike: bool) -> Float:
    """(r²,) weights of the 1×1 convolution that makes a map's channels: all 1, or 1, ½, 1½, 1 and again."""
    return np.ones(factor**2) if alike else np.resize([1.0, 0.5, 1.5, 1.0], factor**2)


def picture_of_maxima(image: Float, factor: int) -> Float:
    """(h·r, w·r): a picture whose r×r maxima are the map (h, w). Where each lies, and what is around it, is drawn by lot."""
    lot = np.random.default_rng(3)
    picture = np.empty((image.shape[0] * factor, image.shape[1] * factor))
    for r, c in np.ndindex(image.shape):
        block = image[r, c] - lot.integers(1, 4, (factor, factor))
        block = np.maximum(block, min(0.0, float(image[r, c])))  # no new sign
        block[tuple(lot.integers(0, factor, 2))] = image[r, c]
        picture[r * factor : (r + 1) * factor, c * factor : (c + 1) * factor] = block
    return picture


def nearest_scene(image: Float, factor: int) -> Scene:
    """image (h, w) → (h·r, w·r)."""
    shape = (image.shape[0] * factor, image.shape[1] * factor)
    output = nearest(image, shape)
    taps, sums = spread({1: weighted_nearest(image, shape)}, image, {1: output})
    grids = (_map(image), Grid("nearest", _("Nearest"), output, "signed"))
    code = f'{_given(image)}\nprint(F.interpolate(x, scale_factor={factor}, mode="nearest"))'
    return Scene(grids, 1, taps, sums, _factor_line(image.shape, factor), code)


def bilinear_scene(image: Float, factor: int) -> Scene:
    """Both ways to lay the larger grid over the smaller one, side by side."""
    shape = (image.shape[0] * factor, image.shape[1] * factor)
    taps: dict[Cell, tuple[Tap, ...]] = {}
    sums: dict[Cell, str] = {}
    grids = [_map(image)]
    for number, aligned in ((1, False), (2, True)):
        output = bilinear(image, shape, aligned)
        found = spread(
            {number: weighted_bilinear(image, shape, aligned)}, image, {number: output}, note=_where(image, shape, aligned)
        )
        taps |= found[0]
        sums |= found[1]
        grids.append(Grid(f"bilinear{number}", ALIGNED[aligned], output, "signed"))
    taps = dict(sorted(taps.items(), key=lambda entry: (entry[0][1:], entry[0][0])))  # both grow together
    lines = [f'print(F.interpolate(x, scale_factor={factor}, mode="bilinear", align_corners={flag}))' for flag in (False, True)]
    return Scene(tuple(grids), 1, taps, sums, _factor_line(image.shape, factor), "\n".join((_given(image), *lines)))


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
    (h, w), count = image.shape, factor**2
    formula = f"{count} × {h} × {w} → {count}/{factor}² × {h}·{factor} × {w}·{factor} = 1 × {h * factor} × {w * factor}"
    code = f"{HEAD}\nx = torch.tensor({literal(channels[None])}, dtype=torch.float64)\nprint(F.pixel_shuffle(x, {factor}))"
    return Scene(tuple(grids), last, taps, sums, formula, code)


def _map(image: Float) -> Grid:
    return Grid("map", _("Small map"), image, "signed")


def _given(image: Float) -> str:
    return f"{HEAD}\nx = torch.tensor({literal(image[None, None])}, dtype=torch.float64)"


def _factor_line(shape: tuple[int, ...], factor: int) -> str:
    return f"{shape[0]}·{factor} = {shape[0] * factor}"

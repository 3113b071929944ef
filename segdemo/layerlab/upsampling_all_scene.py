"""All methods of up-sampling as one scene: the same small map, and beside it what each of them makes of it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segdemo.layerlab.listing import HEAD, given, literal
from segdemo.layerlab.pooling import Pooling, max_pool
from segdemo.layerlab.scene import Cell, Grid, Scene, Tap, digits
from segdemo.layerlab.sizes import transposed_formula
from segdemo.layerlab.transposed import Transposed, bilinear_kernel, fcn_settings, scatter
from segdemo.layerlab.unpooling import max_unpool
from segdemo.layerlab.upsampling import bilinear, nearest, pixel_shuffle
from segdemo.layerlab.upsampling_scene import ALIGNED, channel_weights, factor_formula
from segdemo.layerlab.upsampling_tables import (
    Weighted,
    spread,
    weighted_bilinear,
    weighted_nearest,
    weighted_scatter,
    weighted_shuffle,
    weighted_unpooling,
)
from segdemo.text import _

__all__ = ["everything_scene", "picture_of_maxima"]

Float = NDArray[np.float64]
Place = tuple[int, int]


@dataclass(frozen=True)
class _Way:
    """A method: its output (H, W), what each cell is made of, and where it is drawn."""

    key: str
    title: str
    output: Float
    table: Weighted
    place: Place


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


def everything_scene(image: Float, factor: int, alike: bool) -> Scene:
    """The same map through every method; looking at one of its cells lights what it feeds in all of them."""
    kernel, settings = fcn_settings(factor)
    weight, channels = bilinear_kernel(kernel, factor), channel_weights(factor, alike)
    _pooled, switches = max_pool(picture_of_maxima(image, factor), Pooling((factor, factor), (factor, factor)))
    ways = _ways(image, factor, switches, channels, weight, settings)
    taps: dict[Cell, tuple[Tap, ...]] = {}
    sums: dict[Cell, str] = {}
    for number, way in enumerate(ways, start=1):
        found = spread(number, way.table, image, way.output)
        taps |= found[0]
        sums |= found[1]
    grids = [Grid("map", _("Small map"), image, "signed", place=(0, 0))]
    grids += [Grid(way.key, way.title, way.output, "signed", place=way.place) for way in ways]
    code = _code(image, weight, factor, settings, channels, switches)
    return Scene(tuple(grids), 1, taps, sums, _formula(image.shape, factor, kernel, settings), code, "scatter",
                 told=_told(image, ways))  # fmt: skip


def _ways(
    image: Float, factor: int, switches: NDArray[np.int64], channels: Float, weight: Float, settings: Transposed
) -> list[_Way]:
    """All of them; both bilinear ones are in a column, which on a phone is a row."""
    shape = (image.shape[0] * factor, image.shape[1] * factor)
    both = [
        _Way(key, _("Bilinear, {option}", option=ALIGNED[aligned]), bilinear(image, shape, aligned),
             weighted_bilinear(image, shape, aligned), (2, int(aligned)))
        for key, aligned in (("edges", False), ("corners", True))
    ]  # fmt: skip
    scattered = scatter(image[None], weight[None, None], settings)[0]
    shuffled = pixel_shuffle(channels[:, None, None] * image, factor)[0]
    return [
        _Way("nearest", _("Nearest"), nearest(image, shape), weighted_nearest(image, shape), (1, 0)),
        *both,
        _Way("unpooled", _("Max-unpooled"), max_unpool(image, switches, shape), weighted_unpooling(switches), (1, 1)),
        _Way("transposed", _("Transposed, bilinear start"), scattered, weighted_scatter(image, weight, settings), (3, 0)),
        _Way("shuffled", _("Pixel shuffle"), shuffled, weighted_shuffle(image, factor, channels), (3, 1)),
    ]


def _told(image: Float, ways: list[_Way]) -> dict[Cell, str]:
    """Of every cell of the map: how many cells of each output have a share of it."""
    counts = {way.key: _uses(way, image.shape) for way in ways}
    words = _("{value} goes into: nearest {nearest} cells, bilinear {edges} and {corners}, unpooled {unpooled}, "
              "transposed {transposed}, shuffled {shuffled}")  # fmt: skip
    return {
        (0, row, column): words.format(value=digits(float(image[row, column]), brackets=False),
                                       **{key: count[row, column] for key, count in counts.items()})
        for row, column in np.ndindex(image.shape)
    }  # fmt: skip


def _uses(way: _Way, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """(h, w): how many output cells each cell of the map is a part of."""
    count = np.zeros(shape, np.int64)
    for place, parts in way.table.items():
        if all(0 <= at < size for at, size in zip(place, way.output.shape, strict=True)):
            for at, _weight in parts:
                count[at] += 1
    return count


def _formula(shape: tuple[int, ...], factor: int, kernel: int, settings: Transposed) -> str:
    """All outputs are of one size, by three formulas."""
    moves = {_("Max-unpooled: {line}"): (factor, factor), _("Transposed: {line}"): (kernel, factor, settings.padding[0])}
    lines = {name: dict.fromkeys(transposed_formula(size, *move) for size in shape) for name, move in moves.items()}
    return "\n".join((factor_formula(shape, factor), *(name.format(line="; ".join(found)) for name, found in lines.items())))


def _code(image: Float, weight: Float, factor: int, settings: Transposed, channels: Float, switches: NDArray[np.int64]) -> str:
    flat = (switches[..., 0] * image.shape[1] * factor + switches[..., 1])[None, None].tolist()
    return "\n".join((
        HEAD,
        given("x", image[None, None]),
        f'print(F.interpolate(x, scale_factor={factor}, mode="nearest"))',
        f'print(F.interpolate(x, scale_factor={factor}, mode="bilinear", align_corners=False))',
        f'print(F.interpolate(x, scale_factor={factor}, mode="bilinear", align_corners=True))',
        f"print(F.max_unpool2d(x, torch.tensor({flat}), {factor}))",
        given("w", weight[None, None]),
        f"print(F.conv_transpose2d(x, w, None, stride={factor}, padding={settings.padding[0]}))",
        f"print(F.pixel_shuffle(x * torch.tensor({literal(channels)}, dtype=torch.float64).view(1, -1, 1, 1), {factor}))",
    ))  # fmt: skip

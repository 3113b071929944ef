"""Transposed convolution as scenes: scattered kernels, a convolution over a stretched input, and all methods side by side."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from segdemo.layerlab.listing import literal
from segdemo.layerlab.pooling import Pooling, max_pool
from segdemo.layerlab.scene import Cell, Grid, Scene, Tap, sum_line
from segdemo.layerlab.sizes import each_axis, transposed_formula, transposed_size
from segdemo.layerlab.transposed import (
    Transposed,
    bilinear_kernel,
    scatter,
    stretch,
    stretched_convolution,
    turned,
)
from segdemo.layerlab.unpooling import max_unpool
from segdemo.layerlab.upsampling import bilinear, nearest, pixel_shuffle
from segdemo.layerlab.upsampling_scene import (
    ALIGNED,
    Weighted,
    channel_weights,
    picture_of_maxima,
    spread,
    weighted_bilinear,
    weighted_nearest,
    weighted_shuffle,
    weighted_unpooling,
)  # fmt: skip
from segdemo.text import _

__all__ = ["everything_scene", "fcn_settings", "scatter_scene", "stretch_scene"]

Float = NDArray[np.float64]
Place = tuple[int, int]
ALL_PLACES = {"nearest": (1, 0), "unpooled": (1, 1), "edges": (2, 0), "corners": (2, 1), "transposed": (3, 0), "shuffled": (3, 1)}
"""Column and row of each method; both bilinear ones are in a column, which on a phone is a row."""


def scatter_scene(image: Float, weight: Float, settings: Transposed) -> Scene:
    """image (h, w), weight (kh, kw): each cell lays its multiple of the kernel over the output, where all add up.

    What padding cuts off is drawn as a border around the output.
    """
    uncut = Transposed(settings.stride, (0, 0), settings.output_padding, settings.dilation)
    scatter(image[None], weight[None, None], settings)  # raises where nothing is left
    full = _uncut(image, weight, settings)
    border = np.ones(full.shape, np.bool_)
    (top, left), (rows, columns) = settings.padding, full.shape
    border[top : rows - top, left : columns - left] = False
    taps: dict[Cell, tuple[Tap, ...]] = {}
    sums: dict[Cell, str] = {}
    for place, parts in _scattered(image, weight, uncut, (rows, columns)).items():
        cell = (2, *place)
        taps[cell] = tuple(Tap(0, *at, float(weight[by]), (1, *by), float(image[at] * weight[by])) for at, by in parts)
        line = (
            sum_line([(float(image[at]), float(weight[by])) for at, by in parts], float(full[place]))
            if parts
            else _("0: nothing lands here")
        )
        sums[cell] = _("{line}, cut off by padding", line=line) if border[place] else line
    title = _("Output and what is cut off") if any(settings.padding) else _("Output")
    grids = (Grid("map", _("Small map"), image, "signed"), Grid("kernel", _("Kernel"), weight, "signed"),
             Grid("transposed", title, full, "signed", border))  # fmt: skip
    return Scene(grids, 2, taps, sums, _formula(image.shape, weight.shape, settings), _code(image, weight, settings), "scatter")


def _uncut(image: Float, weight: Float, settings: Transposed) -> Float:
    """The output as it is before padding cuts its margins off."""
    sizes = [
        transposed_size(n, k, s, 0, extra, d)
        for n, k, s, extra, d in zip(
            image.shape, weight.shape, settings.stride, settings.output_padding, settings.dilation, strict=True
        )
    ]
    full = np.zeros(sizes)
    for (row, column), parts in _scattered(image, weight, settings, (sizes[0], sizes[1])).items():
        full[row, column] = sum(float(image[at] * weight[by]) for at, by in parts)
    return full


def _scattered(image: Float, weight: Float, settings: Transposed, shape: Place) -> dict[Place, list[tuple[Place, Place]]]:
    """For each cell before cutting: which cells of the map reach it, with which weight of the kernel."""
    found: dict[Place, list[tuple[Place, Place]]] = {(int(r), int(c)): [] for r, c in np.ndindex(shape)}
    for at in np.ndindex(image.shape):
        for by in np.ndindex(weight.shape):
            y, x = (a * s + b * d for a, b, s, d in zip(at, by, settings.stride, settings.dilation, strict=True))
            found[y, x].append(((at[0], at[1]), (by[0], by[1])))
    return found


def stretch_scene(image: Float, weight: Float, settings: Transposed) -> Scene:
    """The same numbers as a convolution with stride 1: zeros between the cells and around them, and the kernel upside down."""
    output = stretched_convolution(image[None], weight[None, None], settings)[0]
    wide, kernel = stretch(image[None], weight.shape, settings)[0], turned(weight[None, None])[0, 0]
    starts = [d * (k - 1) - p for d, k, p in zip(settings.dilation, weight.shape, settings.padding, strict=True)]
    zeros = np.ones(wide.shape, np.bool_)
    links: list[tuple[Cell, Cell]] = []
    for row, column in np.ndindex(image.shape):
        y, x = row * settings.stride[0] + starts[0], column * settings.stride[1] + starts[1]
        if 0 <= y < wide.shape[0] and 0 <= x < wide.shape[1]:
            zeros[y, x] = False
            links.append(((0, row, column), (1, y, x)))
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
        Grid("turned", _("Kernel, turned"), kernel, "signed"), Grid("transposed", _("Output"), output, "signed"),
    )  # fmt: skip
    code = f"{_code(image, weight, settings)}\n# {_('the same as')}\n{_stretched_code(wide, settings)}"
    return Scene(grids, 3, taps, sums, _formula(image.shape, weight.shape, settings), code, links=tuple(links))


def _formula(shape: tuple[int, ...], kernel: tuple[int, ...], settings: Transposed) -> str:
    moves = zip(shape, kernel, settings.stride, settings.padding, settings.output_padding, settings.dilation, strict=True)
    return each_axis([transposed_formula(*move) for move in moves])


def _code(image: Float, weight: Float, settings: Transposed) -> str:
    options = f"stride={settings.stride}, padding={settings.padding}, output_padding={settings.output_padding}"
    return "\n".join((
        "import torch, torch.nn.functional as F",
        f"x = torch.tensor({literal(image[None, None])}, dtype=torch.float64)",
        f"w = torch.tensor({literal(weight[None, None])}, dtype=torch.float64)",
        f"print(F.conv_transpose2d(x, w, None, {options}, dilation={settings.dilation}))",
    ))  # fmt: skip


def _stretched_code(wide: Float, settings: Transposed) -> str:
    convolution = f"print(F.conv2d(wide, w.flip(2, 3), dilation={settings.dilation}))"
    return f"wide = torch.tensor({literal(wide[None, None])}, dtype=torch.float64)\n{convolution}"


def fcn_settings(factor: int) -> tuple[int, Transposed]:
    """Kernel size 2r − r mod 2 and padding with which a transposed convolution is exactly r times as large, as FCN has it."""
    kernel = 2 * factor - factor % 2
    padding = (kernel - factor) // 2
    return kernel, Transposed((factor, factor), (padding, padding))


def everything_scene(image: Float, factor: int, alike: bool) -> Scene:
    """The same map through every method; looking at one of its cells lights what it feeds in all of them."""
    shape = (image.shape[0] * factor, image.shape[1] * factor)
    kernel, settings = fcn_settings(factor)
    weight = bilinear_kernel(kernel, factor)
    channels = channel_weights(factor, alike)
    _pooled, switches = max_pool(picture_of_maxima(image, factor), Pooling((factor, factor), (factor, factor)))
    ways: list[tuple[str, str, Float, Weighted]] = [
        ("nearest", _("Nearest"), nearest(image, shape), weighted_nearest(image, shape)),
        ("edges", _("Bilinear, {option}", option=ALIGNED[False]), bilinear(image, shape), weighted_bilinear(image, shape, False)),
        ("corners", _("Bilinear, {option}", option=ALIGNED[True]), bilinear(image, shape, True),
         weighted_bilinear(image, shape, True)),
        ("unpooled", _("Max-unpooled"), max_unpool(image, switches, shape), weighted_unpooling(switches)),
        ("transposed", _("Transposed, bilinear start"), scatter(image[None], weight[None, None], settings)[0],
         _weighted_scatter(image, weight, settings, shape)),
        ("shuffled", _("Pixel shuffle"), pixel_shuffle(channels[:, None, None] * image, factor)[0],
         weighted_shuffle(image, factor, channels)),
    ]  # fmt: skip
    outputs = {number: output for number, (_key, _title, output, _table) in enumerate(ways, start=1)}
    taps, sums = spread({number: table for number, (*_rest, table) in enumerate(ways, start=1)}, image, outputs)
    grids = [Grid("map", _("Small map"), image, "signed", place=(0, 0))]
    grids += [Grid(key, title, output, "signed", place=ALL_PLACES[key]) for key, title, output, _table in ways]
    formula = each_axis([f"{image.shape[0]}·{factor} = {shape[0]}"])
    return Scene(tuple(grids), 1, taps, sums, formula, _all_code(image, weight, factor, settings, channels, switches), "scatter")


def _weighted_scatter(image: Float, weight: Float, settings: Transposed, shape: Place) -> Weighted:
    (top, left), size = settings.padding, (shape[0] + 2 * settings.padding[0], shape[1] + 2 * settings.padding[1])
    found: Mapping[Place, list[tuple[Place, Place]]] = _scattered(image, weight, settings, size)
    return {(y - top, x - left): [(at, float(weight[by])) for at, by in parts] for (y, x), parts in found.items()}


def _all_code(
    image: Float, weight: Float, factor: int, settings: Transposed, channels: Float, switches: NDArray[np.int64]
) -> str:
    flat = (switches[..., 0] * image.shape[1] * factor + switches[..., 1])[None, None].tolist()
    return "\n".join((
        "import torch, torch.nn.functional as F",
        f"x = torch.tensor({literal(image[None, None])}, dtype=torch.float64)",
        f'print(F.interpolate(x, scale_factor={factor}, mode="nearest"))',
        f'print(F.interpolate(x, scale_factor={factor}, mode="bilinear", align_corners=False))',
        f'print(F.interpolate(x, scale_factor={factor}, mode="bilinear", align_corners=True))',
        f"print(F.max_unpool2d(x, torch.tensor({flat}), {factor}))",
        f"w = torch.tensor({literal(weight[None, None])}, dtype=torch.float64)",
        f"print(F.conv_transpose2d(x, w, None, stride={factor}, padding={settings.padding[0]}))",
        f"print(F.pixel_shuffle(x * torch.tensor({literal(channels)}, dtype=torch.float64).view(1, -1, 1, 1), {factor}))",
    ))  # fmt: skip

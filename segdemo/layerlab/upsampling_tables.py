"""Up-sampling as tables of weights: for each output place, the places of the map that it is made of, with their shares.

Taken from the arithmetic of each method's own module.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from segdemo.layerlab.scene import Cell, Tap, sum_line
from segdemo.layerlab.transposed import Transposed, landed
from segdemo.layerlab.upsampling import linear_weights, nearest_source, shuffle_source
from segdemo.text import _

__all__ = [
    "Weighted", "spread", "weighted_bilinear", "weighted_nearest", "weighted_scatter", "weighted_shuffle", "weighted_unpooling",
]  # fmt: skip

Float = NDArray[np.float64]
Place = tuple[int, int]
Weighted = Mapping[Place, Sequence[tuple[Place, float]]]
"""For each output place, the places of the map that it is made of, with their weights."""


def spread(
    number: int, weighted: Weighted, image: Float, output: Float, note: Callable[[Place], str] | None = None
) -> tuple[dict[Cell, tuple[Tap, ...]], dict[Cell, str]]:
    """Taps and arithmetic of grid `number`, the output (H, W), all made of the map `image` (h, w), which is grid 0.

    note: words that stand before the arithmetic of a place.
    """
    taps: dict[Cell, tuple[Tap, ...]] = {}
    sums: dict[Cell, str] = {}
    for row, column in np.ndindex(output.shape):
        parts = weighted.get((row, column), ())
        taps[number, row, column] = tuple(Tap(0, *at, w, None, float(image[at]) * w) for at, w in parts)
        line = sum_line([(float(image[at]), w) for at, w in parts], float(output[row, column]))
        sums[number, row, column] = (note((row, column)) if note else "") + (line if parts else _("0: nothing lands here"))
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


def weighted_scatter(image: Float, weight: Float, settings: Transposed) -> Weighted:
    """All cells whose kernels land there, each with the weight that does."""
    reached = landed((image.shape[0], image.shape[1]), (weight.shape[0], weight.shape[1]), settings)
    return {place: [(at, float(weight[by])) for at, by in parts] for place, parts in reached.items()}


def weighted_shuffle(image: Float, factor: int, weights: Float) -> Weighted:
    """One cell each, times the weight of the channel that stands for its place in the block."""
    shape = (image.shape[0] * factor, image.shape[1] * factor)
    sources = {(r, c): shuffle_source(0, r, c, factor) for r, c in np.ndindex(shape)}
    return {place: [((y, x), float(weights[channel]))] for place, (channel, y, x) in sources.items()}

"""How much each pixel counts for a unit on a stack, remembered and made small enough to be sent."""

import base64
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from segdemo.layerlab.stack_influence import Weights, holding_side, influence, ways
from segdemo.layerlab.stacks import StackLayer

__all__ = ["Drawn", "holding", "influence_drawn"]

DRAWN_CELLS = 110  # along a side of the picture of an influence; larger fields are drawn in squares of several pixels


@dataclass(frozen=True)
class Drawn:
    """The influence on the topmost unit. held: side of the square that holds most of it, in pixels. side: cells of the drawing;
    values: 0–255 in base64, of side × side cells, or of side cells along one axis where the rest follows as their product."""

    held: int
    side: int
    values: str


@lru_cache(maxsize=512)
def influence_drawn(layers: tuple[StackLayer, ...], weights: Weights, seed: int) -> Drawn:
    """Measured in pixels, and drawn in cells of one pixel or of several."""
    heat = influence(layers, weights, seed)
    drawn = _coarse(ways(layers) if weights == "equal" else heat)
    scaled = (drawn / (drawn.max() or 1) * 255).round().astype(np.uint8)
    return Drawn(holding_side(heat), len(drawn), base64.b64encode(scaled.tobytes()).decode())


def _coarse(heat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Along every axis at most DRAWN_CELLS, each the mean of the pixels it covers."""
    side = len(heat)
    if side <= DRAWN_CELLS:
        return heat
    edges = np.linspace(0, side, DRAWN_CELLS + 1).astype(int)
    for axis in range(heat.ndim):
        sizes = np.diff(edges).reshape([-1 if n == axis else 1 for n in range(heat.ndim)])
        heat = np.add.reduceat(heat, edges[:-1], axis) / sizes
    return heat


def holding(layers: tuple[StackLayer, ...], weights: Weights, seed: int) -> int:
    """Side of the square that holds most of the influence on a unit of the topmost layer, in pixels."""
    return influence_drawn(layers, weights, seed).held

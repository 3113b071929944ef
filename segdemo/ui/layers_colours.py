"""The colours of the Layers page: Okabe and Ito's eight by name, and the scales of numbers."""

from functools import lru_cache

import numpy as np

from segdemo.features.colour import STEPS, palette

__all__ = [
    "BLUE", "GREEN", "GREY", "ORANGE", "PINK", "RULE", "SERIES", "SKY", "TINTS", "VERMILION", "cell_scales", "ramp",
]  # fmt: skip

BLUE, SKY, GREEN, ORANGE, VERMILION, PINK = "#0072B2", "#56B4E9", "#009E73", "#E69F00", "#D55E00", "#CC79A7"  # Okabe–Ito
GREY = "#8a939c"
SERIES = (BLUE, ORANGE, GREEN, PINK, VERMILION, SKY)  # of classes and channels, in their order
TINTS = {2: GREEN, 3: PINK, 7: "#999933"}  # by their number, of cells that belong together and have a line in a chart as well
RULE = "rgba(128, 128, 128, 0.8)"  # lines that mark a place in a chart
CELL_STEPS, RAMP_STEPS = 33, 64


def _steps(name: str, count: int) -> list[list[int]]:
    chosen = np.linspace(0, STEPS - 1, count).round().astype(int)
    colours: list[list[int]] = palette(name)[chosen].tolist()
    return colours


@lru_cache(maxsize=1)
def cell_scales() -> dict[str, list[list[int]]]:
    """Signed numbers, around zero, and counts, from zero; the same as on the Feature maps page. Red, green, blue, 0–255."""
    return {"signed": _steps("diverging", CELL_STEPS), "count": _steps("sequential", CELL_STEPS)}


@lru_cache(maxsize=1)
def ramp() -> list[list[int]]:
    """From nothing to most, in finer steps: how much a pixel counts."""
    return _steps("sequential", RAMP_STEPS)

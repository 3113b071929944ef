"""What a convolution is shown on: small grids of numbers, patches of a picture, and kernels that are known by name."""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from segdemo.text import N_

__all__ = [
    "KERNELS", "NUMBERS", "KnownKernel", "NumberPattern", "Square", "busiest_place", "edge_kernel", "number_grid", "patch_of",
    "place_square", "plain_kernel",
]  # fmt: skip

NumberPattern = Literal["digits", "dot", "edge", "stripes", "ramp"]
NUMBERS: tuple[NumberPattern, ...] = ("digits", "dot", "edge", "stripes", "ramp")
GREY = (0.299, 0.587, 0.114)  # ITU-R BT.601 luma of red, green and blue


@dataclass(frozen=True)
class KnownKernel:
    """A 3×3 kernel with a name; `meaning` says what it answers to. Values times 1/`divisor`."""

    title: str
    meaning: str
    rows: tuple[tuple[float, ...], ...]
    divisor: float = 1

    @property
    def values(self) -> NDArray[np.float64]:
        """The weights (3, 3)."""
        return np.array(self.rows, np.float64) / self.divisor


KERNELS: dict[str, KnownKernel] = {
    "identity": KnownKernel(N_("Identity"), N_("Copies the middle cell."), ((0, 0, 0), (0, 1, 0), (0, 0, 0))),
    "sobel_x": KnownKernel(N_("Sobel, vertical edges"), N_("Right minus left: large where it gets brighter to the right."),
                           ((-1, 0, 1), (-2, 0, 2), (-1, 0, 1))),
    "sobel_y": KnownKernel(N_("Sobel, horizontal edges"), N_("Below minus above: large where it gets brighter downwards."),
                           ((-1, -2, -1), (0, 0, 0), (1, 2, 1))),
    "edge": KnownKernel(N_("Edges in all directions"), N_("The middle against its neighbours: 0 wherever all are equal."),
                        ((-1, -1, -1), (-1, 8, -1), (-1, -1, -1))),
    "box": KnownKernel(N_("Box blur"), N_("The mean of nine cells."), ((1, 1, 1), (1, 1, 1), (1, 1, 1)), 9),
    "gauss": KnownKernel(N_("Gaussian blur"), N_("A mean weighted towards near cells."), ((1, 2, 1), (2, 4, 2), (1, 2, 1)), 16),
    "sharpen": KnownKernel(N_("Sharpen"), N_("The cell plus its differences from its neighbours."),
                           ((0, -1, 0), (-1, 5, -1), (0, -1, 0))),
    "emboss": KnownKernel(N_("Emboss"), N_("Lower right against upper left, as if lit from there."),
                          ((-2, -1, 0), (-1, 1, 1), (0, 1, 2))),
}  # fmt: skip


def number_grid(pattern: NumberPattern, shape: tuple[int, ...], seed: int = 0) -> NDArray[np.float64]:
    """Whole numbers (C, …) that are easy to add in the head. Every channel is different.

    "digits": 0 to 3 at random, "dot": a single 1 in the middle, "edge": 0 on the left and 1 on the right, "stripes": every
    other column, "ramp": 0, 1, 2, … along the last axis.
    """
    if pattern == "digits":
        return np.random.default_rng(seed).integers(0, 4, shape).astype(np.float64)
    values = np.zeros(shape)
    along = np.arange(shape[-1])
    if pattern == "dot":
        middle = tuple(size // 2 for size in shape[1:])
        for channel in values:
            channel[middle] = 1
    else:
        values[:] = {"edge": along >= shape[-1] / 2, "stripes": along % 2, "ramp": along}[pattern]
    return values * np.arange(1, shape[0] + 1).reshape(-1, *[1] * (len(shape) - 1))


def plain_kernel(shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Small whole weights (filters, channels, …) that differ between filters and channels: −1, 0 and 1, in a fixed order."""
    return np.random.default_rng(sum(shape[2:]) + 7).integers(-1, 2, shape).astype(np.float64)


def edge_kernel(shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Weights (filters, channels, …) that find edges: the last cell of a kernel minus its first, with 0 between.

    The first filter does so along the last axis and finds vertical edges, the second along the axis before it; channels take
    the axes in turn as well. What goes beyond the number of axes has the numbers of `plain_kernel`.
    """
    weight, axes = plain_kernel(shape), len(shape) - 2
    for chosen, channel in np.ndindex(shape[:2]):
        if chosen + channel < axes:
            length = shape[-1 - chosen - channel]
            line = np.zeros(length)
            line[0], line[-1] = -1, 1  # of a single cell: 1
            weight[chosen, channel] = line.reshape(-1, *[1] * (chosen + channel))
    return weight


class Square(NamedTuple):
    """A square of a picture in pixels: its upper left corner and its side."""

    top: int
    left: int
    side: int

    def of(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """The pixels (H, W, …) of the square."""
        return pixels[self.top : self.top + self.side, self.left : self.left + self.side]


def place_square(size: tuple[int, int], side: int, top: float, left: float) -> Square:
    """The square of a picture of `size` (H, W). side: in pixels, at most the shorter one; top, left: 0 … 1, how far moved."""
    side = max(1, min(side, *size))
    return Square(round(top * (size[0] - side)), round(left * (size[1] - side)), side)


def patch_of(pixels: NDArray[np.uint8], side: int, top: float, left: float, shown: int, grey: bool) -> NDArray[np.float64]:
    """A square of a picture (H, W, 3) as cells: (1 or 3, shown, shown) from 0 to 1, each the mean of the pixels it covers.

    side, top, left: see `place_square`; grey: luma.
    """
    found = place_square((pixels.shape[0], pixels.shape[1]), side, top, left)
    square = found.of(pixels).astype(np.float64) / 255
    square = (square @ np.array(GREY))[..., None] if grey else square
    mean = _means(found.side, shown)
    return np.moveaxis(np.einsum("ay,yxc,bx->abc", mean, square, mean, optimize=True), -1, 0)


def busiest_place(pixels: NDArray[np.generic], side: int) -> tuple[int, int]:
    """Where a square of a picture (H, W, …) has the most contrast: from the top and from the left, in percent, by 10."""
    height, width = pixels.shape[:2]
    flat = pixels.reshape(height, width, -1).mean(axis=2, dtype=np.float64)
    places = [(down, right) for down in range(0, 101, 10) for right in range(0, 101, 10)]

    def contrast(place: tuple[int, int]) -> float:
        return float(place_square((height, width), side, place[0] / 100, place[1] / 100).of(flat).std())

    return max(places, key=contrast)


def _means(pixels: int, cells: int) -> NDArray[np.float64]:
    """(cells, pixels): the share of each pixel in each cell, so that a row adds up to 1."""
    edges = np.linspace(0, pixels, cells + 1)
    at = np.arange(pixels)
    covered = np.minimum(edges[1:, None], at + 1) - np.maximum(edges[:-1, None], at)
    shares = np.clip(covered, 0, None)
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))

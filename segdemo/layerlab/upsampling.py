"""Up-sampling without weights: nearest, bilinear and pixel shuffle, one output cell at a time.

A channel at a time, in float64: the same numbers as `torch.nn.functional.interpolate` and `pixel_shuffle`.

Pixel shuffle: Shi et al., Real-time single image and video super-resolution, 2016, arXiv:1609.05158, equation 4.
Alike channels as its start ("ICNR"): Aitken et al., Checkerboard artifact free sub-pixel convolution, 2017, arXiv:1707.02937.
"""

import numpy as np
from numpy.typing import NDArray

from segdemo.errors import SettingError
from segdemo.text import _

__all__ = ["bilinear", "linear_weights", "nearest", "nearest_source", "pixel_shuffle", "shuffle_source"]

Float = NDArray[np.float64]


def nearest_source(place: int, size: int, target: int) -> int:
    """The cell of `size` that place number `place` of `target` copies: ⌊i · n / m⌋.

    Torch divides in float32 and is a cell off at rare sizes that are no whole factor apart, such as 14 → 46.
    """
    return place * size // target


def nearest(image: Float, shape: tuple[int, int]) -> Float:
    """image (h, w) → (H, W) = shape, every cell a copy."""
    output = np.empty(shape)
    for row, column in np.ndindex(shape):
        output[row, column] = image[
            nearest_source(row, image.shape[0], shape[0]), nearest_source(column, image.shape[1], shape[1])
        ]
    return output


def linear_weights(place: int, size: int, target: int, align_corners: bool) -> list[tuple[int, float]]:
    """The one or two cells that place number `place` of `target` mixes, each with its share; the shares add up to 1.

    align_corners: the middles of the outermost cells fall together, i·(n − 1)/(m − 1); otherwise the outer edges do,
    (i + ½)·n/m − ½, not below 0.
    """
    if align_corners:
        at = place * (size - 1) / (target - 1) if target > 1 else 0.0
    else:
        at = max(0.0, (place + 0.5) * size / target - 0.5)
    low = min(int(at), size - 1)
    share = min(at - low, 1.0) if low < size - 1 else 0.0
    return [(low, 1 - share), (low + 1, share)] if share else [(low, 1.0)]


def bilinear(image: Float, shape: tuple[int, int], align_corners: bool = False) -> Float:
    """image (h, w) → (H, W) = shape: each cell a mean of up to four, weighted by how near they are."""
    output = np.zeros(shape)
    for row, column in np.ndindex(shape):
        for y, down in linear_weights(row, image.shape[0], shape[0], align_corners):
            for x, across in linear_weights(column, image.shape[1], shape[1], align_corners):
                output[row, column] += down * across * image[y, x]
    return output


def shuffle_source(channel: int, row: int, column: int, factor: int) -> tuple[int, int, int]:
    """Where an output cell comes from: the channel that stands for its place within a block of r × r, and the block's cell."""
    return channel * factor**2 + row % factor * factor + column % factor, row // factor, column // factor


def pixel_shuffle(image: Float, factor: int) -> Float:
    """image (C·r², h, w) → (C, h·r, w·r): channels become places. Raises SettingError where r² does not divide the channels."""
    channels, height, width = image.shape
    if channels % factor**2:
        raise SettingError(_("Pixel shuffle by {r} needs a multiple of {n} channels, not {channels}.",
                             r=factor, n=factor**2, channels=channels))  # fmt: skip
    output = np.empty((channels // factor**2, height * factor, width * factor))
    for channel, row, column in np.ndindex(*output.shape):
        output[channel, row, column] = image[shuffle_source(channel, row, column, factor)]
    return output

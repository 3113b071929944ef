"""Convolution by loops that can be read: padding with where each border value comes from, then one sum a cell.

Everything in float64, of any number of axes: a signal has one, a picture two, a volume three. The same numbers as
`torch.nn.functional.conv1d/2d/3d` after `torch.nn.functional.pad`. What networks call convolution is cross-correlation: the
kernel slides as it is. `flipped` turns it around along every axis, as mathematics has it.

Dumoulin and Visin, A guide to convolution arithmetic for deep learning, 2016, arXiv:1603.07285.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from segdemo.errors import SettingError
from segdemo.layerlab.sizes import convolved_size, extent
from segdemo.text import _

__all__ = [
    "MODES", "MOST_TAPS", "Arithmetic", "Mode", "Source", "border_source", "check", "convolve", "inputs_of", "largest_padding",
    "pad", "tap_count",
]  # fmt: skip

Mode = Literal["zeros", "reflect", "replicate", "circular"]
MODES: tuple[Mode, ...] = ("zeros", "reflect", "replicate", "circular")
Float = NDArray[np.float64]
MOST_TAPS = 20_000  # products of all cells together that a scene of a convolution holds: about 0.1 s and half a megabyte


@dataclass(frozen=True)
class Arithmetic:
    """How a kernel moves: a number an axis for stride, padding (on both sides) and dilation; groups of channels."""

    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int = 1
    mode: Mode = "zeros"
    flipped: bool = False


def largest_padding(size: int, mode: Mode) -> int | None:
    """The most cells that can be put on a side. Zeros and replicate have no limit (None).

    Reflect mirrors at the outermost cell without repeating it, so one cell less than there are; circular goes once around.
    """
    return {"zeros": None, "replicate": None, "reflect": size - 1, "circular": size}[mode]


def border_source(size: int, padding: int, mode: Mode) -> NDArray[np.int64]:
    """For each of size + 2·padding places along an axis, the place in the input whose value it has; −1 for a zero."""
    at = np.arange(-padding, size + padding)
    if mode == "replicate":
        return at.clip(0, size - 1)
    if mode == "circular":
        return at % size
    if mode == "reflect":
        return np.asarray(size - 1 - np.abs(size - 1 - np.abs(at)))
    return np.where((at >= 0) & (at < size), at, -1)


def pad(image: Float, padding: tuple[int, ...], mode: Mode) -> Float:
    """The channels (C, …) with a border around each: every place looks up where its value comes from."""
    padded = image
    for axis, amount in enumerate(padding, start=1):
        source = border_source(image.shape[axis], amount, mode)
        shape = [1] * image.ndim
        shape[axis] = len(source)
        padded = np.where(source.reshape(shape) < 0, 0.0, padded.take(source, axis))
    return padded


class Source(NamedTuple):
    """One product of a sum: the place in the padded input, (channel, …), and the place in the weights, (filter, channel, …)."""

    at: tuple[int, ...]
    weight: tuple[int, ...]


def inputs_of(cell: tuple[int, ...], weight_shape: tuple[int, ...], settings: Arithmetic) -> Iterator[Source]:
    """What an output cell (filter, row, column) is made of, in the order in which the sum is written.

    weight_shape: (filters, input channels / groups, kernel height, kernel width).
    """
    filters, channels, *kernel = weight_shape
    chosen, *place = cell
    first = chosen // (filters // settings.groups) * channels  # the group's first input channel
    corner = [p * s for p, s in zip(place, settings.stride, strict=True)]
    for channel in range(channels):
        for step in product(*map(range, kernel)):
            at = [c + k * d for c, k, d in zip(corner, step, settings.dilation, strict=True)]
            used = [n - 1 - k for n, k in zip(kernel, step, strict=True)] if settings.flipped else step
            yield Source((first + channel, *at), (chosen, channel, *used))


def convolve(image: Float, weight: Float, bias: Float | None, settings: Arithmetic) -> Float:
    """image (C, …), weight (filters, C / groups, …), bias (filters,) or None → (filters, …).

    Raises SettingError where the sizes do not go together, see `check`.
    """
    check(image.shape, weight.shape, settings)
    padded = pad(image, settings.padding, settings.mode)
    output = np.zeros((len(weight), *_sizes(image.shape, weight.shape, settings)))
    for cell in np.ndindex(output.shape):
        total = 0.0 if bias is None else float(bias[cell[0]])
        for source in inputs_of(cell, weight.shape, settings):
            total += padded[source.at] * weight[source.weight]
        output[cell] = total
    return output


def tap_count(image_shape: tuple[int, ...], weight_shape: tuple[int, ...], settings: Arithmetic) -> int:
    """Products of all cells of the output together, before any is made. weight_shape as for `inputs_of`; see MOST_TAPS."""
    return math.prod(_sizes(image_shape, weight_shape, settings)) * math.prod(weight_shape)


def _sizes(image_shape: tuple[int, ...], weight_shape: tuple[int, ...], settings: Arithmetic) -> list[int]:
    """Cells of the output along each axis."""
    moves = zip(image_shape[1:], weight_shape[2:], settings.stride, settings.padding, settings.dilation, strict=True)
    return [max(0, convolved_size(*move)) for move in moves]


def check(image_shape: tuple[int, ...], weight_shape: tuple[int, ...], settings: Arithmetic) -> None:
    """Raises SettingError, with the sentence, where channels, padding or kernel do not fit the input."""
    channels, *sizes = image_shape
    filters, channels_of_group, *kernel = weight_shape
    if channels % settings.groups or filters % settings.groups:
        raise SettingError(_("{groups} groups do not divide {channels} input channels and {filters} filters.",
                             groups=settings.groups, channels=channels, filters=filters))  # fmt: skip
    if channels_of_group != channels // settings.groups:
        raise SettingError(_("A filter has a slice for each of the {n} channels of its group.", n=channels // settings.groups))
    for size, k, p, d in zip(sizes, kernel, settings.padding, settings.dilation, strict=True):
        limit = largest_padding(size, settings.mode)
        if limit is not None and p > limit:
            raise SettingError(_("With mode {mode}, {n} cells can be padded by at most {most}.",
                                 mode=settings.mode, n=size, most=limit))  # fmt: skip
        if extent(k, d) > size + 2 * p:
            raise SettingError(_("A kernel that spans {span} cells does not fit into {n}.", span=extent(k, d), n=size + 2 * p))

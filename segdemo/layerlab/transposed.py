"""Transposed convolution, twice: kernels scattered over the output, and a convolution over a stretched input.

Both give the numbers of `torch.nn.functional.conv_transpose2d`. "Deconvolution" is another name of it, and a wrong one: shapes
are turned around, not values.

Dumoulin and Visin, A guide to convolution arithmetic for deep learning, 2016, arXiv:1603.07285, chapter 4.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segdemo.errors import SettingError
from segdemo.layerlab.convolution import Arithmetic, convolve
from segdemo.layerlab.sizes import transposed_size
from segdemo.text import _

__all__ = [
    "Transposed", "bilinear_kernel", "bilinear_profile", "check_transposed", "fcn_settings", "landed", "scatter", "stretch",
    "stretched_convolution", "turned",
]  # fmt: skip

Float = NDArray[np.float64]
Pair = tuple[int, int]


@dataclass(frozen=True)
class Transposed:
    """Stride between scattered kernels, padding (cut off on both sides), output padding (added at the end), dilation."""

    stride: Pair
    padding: Pair = (0, 0)
    output_padding: Pair = (0, 0)
    dilation: Pair = (1, 1)


def check_transposed(shape: tuple[int, ...], kernel: tuple[int, ...], settings: Transposed) -> None:
    """Raises SettingError, with the sentence, where nothing would be left, or the output padding stands for nothing."""
    for axis, (size, k) in enumerate(zip(shape, kernel, strict=True)):
        s, p, extra, d = (each[axis] for each in (settings.stride, settings.padding, settings.output_padding, settings.dilation))
        if extra >= max(s, d):
            raise SettingError(_("Output padding has to be smaller than stride {s} or dilation {d}.", s=s, d=d))
        if transposed_size(size, k, s, p, extra, d) < 1:
            raise SettingError(_("Padding {p} cuts off everything.", p=p))


def _landing(at: Pair, by: Pair, settings: Transposed) -> Pair:
    """Row and column of the output where the map's cell `at` lays the kernel's weight `by`; outside of it, it is cut off."""
    moves = zip(at, by, settings.stride, settings.padding, settings.dilation, strict=True)
    row, column = (cell * s - p + weight * d for cell, weight, s, p, d in moves)
    return row, column


def landed(shape: Pair, kernel: Pair, settings: Transposed) -> dict[Pair, list[tuple[Pair, Pair]]]:
    """For each place of the output that is reached: the cells of a map of this shape that do, each with its weight's place."""
    found: dict[Pair, list[tuple[Pair, Pair]]] = {}
    for row, column in np.ndindex(shape):
        for i, j in np.ndindex(kernel):
            found.setdefault(_landing((row, column), (i, j), settings), []).append(((row, column), (i, j)))
    return found


def scatter(image: Float, weight: Float, settings: Transposed) -> Float:
    """image (C, h, w), weight (C, filters, kh, kw) → (filters, H, W): every cell adds its multiple of the kernel.

    Raises SettingError, see `check_transposed`.
    """
    check_transposed(image.shape[1:], weight.shape[2:], settings)
    sizes = [
        transposed_size(*each)
        for each in zip(image.shape[1:], weight.shape[2:], settings.stride, settings.padding, settings.output_padding,
                        settings.dilation, strict=True)
    ]  # fmt: skip
    output = np.zeros((weight.shape[1], *sizes))
    for channel, row, column in np.ndindex(image.shape):
        for chosen, i, j in np.ndindex(weight.shape[1:]):
            y, x = _landing((row, column), (i, j), settings)
            if 0 <= y < sizes[0] and 0 <= x < sizes[1]:
                output[chosen, y, x] += image[channel, row, column] * weight[channel, chosen, i, j]
    return output


def stretch(image: Float, kernel: tuple[int, ...], settings: Transposed) -> Float:
    """image (C, h, w) with s − 1 zeros between its cells and d·(k − 1) − p around, more at the end by the output padding.

    Where p is larger than d·(k − 1), cells are cut off instead.
    """
    for axis, k in enumerate(kernel):
        size, s = image.shape[axis + 1], settings.stride[axis]
        border = settings.dilation[axis] * (k - 1) - settings.padding[axis]
        spread = np.zeros([(size - 1) * s + 1 if a == axis + 1 else n for a, n in enumerate(image.shape)])
        spread[(slice(None),) * (axis + 1) + (slice(None, None, s),)] = image
        image = _bordered(spread, axis + 1, border, border + settings.output_padding[axis])
    return image


def _bordered(array: Float, axis: int, before: int, after: int) -> Float:
    """Zeros before and after along an axis; a negative number cuts instead."""
    room = [(max(0, before), max(0, after)) if a == axis else (0, 0) for a in range(array.ndim)]
    padded = np.pad(array, room)
    return padded.take(np.arange(max(0, -before), padded.shape[axis] - max(0, -after)), axis)


def turned(weight: Float) -> Float:
    """weight (C, filters, kh, kw) as the convolution over the stretched input needs it: (filters, C, kh, kw), turned by 180°."""
    return weight.swapaxes(0, 1)[:, :, ::-1, ::-1].copy()


def stretched_convolution(image: Float, weight: Float, settings: Transposed) -> Float:
    """The same as `scatter`: a convolution with stride 1 of the stretched input with the turned kernel."""
    check_transposed(image.shape[1:], weight.shape[2:], settings)
    wide = stretch(image, weight.shape[2:], settings)
    return convolve(wide, turned(weight), None, Arithmetic((1, 1), (0, 0), settings.dilation))


def bilinear_kernel(kernel: int, stride: int) -> Float:
    """(k, k) weights that interpolate: the profile along both axes.

    With k = 2s − s mod 2 it is the kernel with which FCN starts (Long et al. 2015, arXiv:1411.4038).
    """
    along = bilinear_profile(kernel, stride)
    return np.outer(along, along)


def bilinear_profile(kernel: int, stride: int) -> Float:
    """(k,) weights along one axis, falling from the middle to zero at `stride` cells from it."""
    away = np.abs(np.arange(kernel) - (kernel - 1) / 2)
    return np.asarray(np.clip(1 - away / stride, 0, None))


def fcn_settings(factor: int) -> tuple[int, Transposed]:
    """Kernel size 2r − r mod 2 and padding with which a transposed convolution is exactly r times as large, as FCN has it."""
    kernel = 2 * factor - factor % 2
    padding = (kernel - factor) // 2
    return kernel, Transposed((factor, factor), (padding, padding))

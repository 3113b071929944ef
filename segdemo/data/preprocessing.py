"""From a picture to a network's input: scale, normalise, pad. Training, validation and the engine all come through here."""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from segdemo.geometry import Geometry, plan
from segdemo.types import Preprocessing, RGBImage

__all__ = ["MIN_STD", "image_statistics", "to_input"]

MIN_STD = 2 / 255  # a flat picture must not have its noise blown up to full contrast

Triple = tuple[float, float, float]


def image_statistics(image: RGBImage, preprocessing: Preprocessing) -> tuple[Triple, Triple]:
    """(mean, std) to normalise this picture with, per RGB channel, of values in 0–1."""
    if preprocessing.normalization == "fixed":
        return preprocessing.mean, preprocessing.std
    channel_mean, channel_std = (v.ravel() / 255 for v in cv2.meanStdDev(image))
    mean = float(channel_mean.mean())
    variance = float((channel_std**2 + channel_mean**2).mean()) - mean**2  # over all channels at once
    std = max(float(np.sqrt(max(variance, 0.0))), MIN_STD)
    return (mean, mean, mean), (std, std, std)


def scaled(image: RGBImage, geometry: Geometry) -> RGBImage:
    """The picture at its working size: averaged over areas when it shrinks, bilinear when it grows."""
    if image.shape[:2] == geometry.working:
        return image
    shrinks = geometry.working[0] * geometry.working[1] < image.shape[0] * image.shape[1]
    size = (geometry.working[1], geometry.working[0])
    resized = cv2.resize(image, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return np.asarray(resized, dtype=np.uint8)


def normalised(image: RGBImage, mean: Triple, std: Triple) -> NDArray[np.float32]:
    """(H, W, 3) uint8 → float32: (value / 255 − mean) / std."""
    scale = np.array([1 / (255 * s) for s in std], dtype=np.float32)
    offset = np.array([m / s for m, s in zip(mean, std, strict=True)], dtype=np.float32)
    height, width = image.shape[:2]
    # As rows of 3W numbers: numpy repeats a row ten times faster than it repeats three numbers.
    result = np.multiply(image.reshape(height, 3 * width), np.tile(scale, width), dtype=np.float32)
    result -= np.tile(offset, width)
    return result.reshape(height, width, 3)


def to_input(image: RGBImage, preprocessing: Preprocessing, full: tuple[int, int] | None = None) -> tuple[Tensor, Geometry]:
    """image (H, W, 3) → network input (1, 3, h', w') float32 in channels_last order, and its geometry.

    `full` is the picture's own size where `image` is already a reduced version of it.
    """
    geometry = plan(
        full or (image.shape[0], image.shape[1]),
        short_side=preprocessing.short_side,
        max_pixels=preprocessing.max_pixels,
        multiple_of=preprocessing.multiple_of,
    )
    small = scaled(image, geometry)
    pixels = normalised(small, *image_statistics(small, preprocessing))
    below, right = geometry.padding
    if below or right:
        pixels = cv2.copyMakeBorder(pixels, 0, below, 0, right, cv2.BORDER_REFLECT_101)  # type: ignore[assignment]
    return torch.from_numpy(pixels).permute(2, 0, 1).unsqueeze(0), geometry

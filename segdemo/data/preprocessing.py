"""From a picture to a network's input: scale, normalise, pad. Training, validation and the engine all come through here."""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from segdemo.geometry import Geometry, Size, plan
from segdemo.types import Preprocessing, RGBImage

__all__ = ["MIN_STD", "arranged", "from_output", "image_statistics", "planned", "to_input"]

MIN_STD = 2 / 255  # a flat picture must not have its noise blown up to full contrast

Triple = tuple[float, float, float]


def image_statistics(image: RGBImage, preprocessing: Preprocessing) -> tuple[Triple, Triple]:
    """(mean, std) to normalise this picture with, per channel in the network's order, of values in 0–1.

    `image` (H, W, 3), or (H, W) for a network of one channel, has its channels in that order already.
    """
    if preprocessing.normalization == "fixed":
        return _of_unit_range(preprocessing.mean, preprocessing), _of_unit_range(preprocessing.std, preprocessing)
    channel_mean, channel_std = (v.ravel() / 255 for v in cv2.meanStdDev(image))
    if preprocessing.normalization == "per-channel":
        return _triple(channel_mean), _triple(np.maximum(channel_std, MIN_STD))
    mean = float(channel_mean.mean())
    variance = float((channel_std**2 + channel_mean**2).mean()) - mean**2  # over all channels at once
    std = max(float(np.sqrt(max(variance, 0.0))), MIN_STD)
    return (mean, mean, mean), (std, std, std)


def _of_unit_range(values: Triple, preprocessing: Preprocessing) -> Triple:
    if preprocessing.value_range == 1:
        return values
    return _triple(np.asarray(values) / preprocessing.value_range)


def _triple(values: NDArray[np.float64]) -> Triple:
    """Three numbers; of one channel the same three times."""
    first, second, third = np.broadcast_to(values, 3).tolist()
    return first, second, third


def arranged(image: RGBImage, preprocessing: Preprocessing) -> NDArray[np.uint8]:
    """The picture's channels as the network takes them: (H, W, 3) in its order, or (H, W) luminance for one channel."""
    if preprocessing.channels < 3:
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
    if preprocessing.channel_order == "bgr":
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2BGR), dtype=np.uint8)
    return image


def scaled(image: RGBImage, geometry: Geometry) -> RGBImage:
    """The picture at its working size: averaged over areas when it shrinks, bilinear when it grows."""
    if image.shape[:2] == geometry.working:
        return image
    shrinks = geometry.working[0] * geometry.working[1] < image.shape[0] * image.shape[1]
    size = (geometry.working[1], geometry.working[0])
    resized = cv2.resize(image, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return np.asarray(resized, dtype=np.uint8)


def normalised(image: NDArray[np.uint8], mean: Triple, std: Triple) -> NDArray[np.float32]:
    """(H, W, 3) or (H, W) uint8 → float32 (H, W, 3) or (H, W, 1): (value / 255 − mean) / std."""
    channels = image.shape[2] if image.ndim == 3 else 1
    scale = np.array([1 / (255 * s) for s in std[:channels]], dtype=np.float32)
    offset = np.array([m / s for m, s in zip(mean, std, strict=True)][:channels], dtype=np.float32)
    height, width = image.shape[:2]
    # As rows of 3W numbers: numpy repeats a row ten times faster than it repeats three numbers.
    result = np.multiply(image.reshape(height, channels * width), np.tile(scale, width), dtype=np.float32)
    result -= np.tile(offset, width)
    return result.reshape(height, width, channels)


def planned(full: Size, preprocessing: Preprocessing, scale: float = 1.0) -> Geometry:
    """Where the pixels of a picture of size (H, W) go. `scale` enlarges or shrinks what the network usually sees."""
    return plan(
        full, short_side=preprocessing.short_side, max_pixels=preprocessing.max_pixels, multiple_of=preprocessing.multiple_of,
        offset=preprocessing.offset, enlarged=scale,
    )  # fmt: skip


def to_input(
    image: RGBImage, preprocessing: Preprocessing, full: Size | None = None, *, scale: float = 1.0
) -> tuple[Tensor, Geometry]:
    """image (H, W, 3) → network input (1, channels, h', w') float32 in channels_last order, and its geometry.

    `full` is the picture's own size where `image` is already a reduced version of it; `scale` as in `planned`.
    """
    geometry = planned(full or (image.shape[0], image.shape[1]), preprocessing, scale)
    small = arranged(scaled(image, geometry), preprocessing)
    pixels = normalised(small, *image_statistics(small, preprocessing))
    below, right = geometry.padding
    border = preprocessing.border
    if below or right or border:
        sides = (border, border + below, border, border + right)
        bordered = np.asarray(cv2.copyMakeBorder(pixels, *sides, cv2.BORDER_REFLECT_101), dtype=np.float32)
        pixels = bordered.reshape(*bordered.shape[:2], -1)  # OpenCV drops an axis of length one
    if (missing := preprocessing.channels - pixels.shape[2]) > 0:
        pixels = np.concatenate([pixels, np.zeros((*pixels.shape[:2], missing), np.float32)], axis=2)
    return torch.from_numpy(pixels).permute(2, 0, 1).unsqueeze(0), geometry


def from_output(output: Tensor, geometry: Geometry) -> Tensor:
    """A network's output (C, h'', w'') → (C, h, w) at the working size: the way back through `to_input`.

    A network without padding loses the border by itself; of one that keeps it, it is cut off; one that answers for
    every few pixels only is enlarged bilinearly.
    """
    height, width = geometry.padded
    if output.shape[-2] < height or output.shape[-1] < width:
        output = F.interpolate(output[None], size=(height, width), mode="bilinear", align_corners=False)[0]
    top, left = (output.shape[-2] - height) // 2, (output.shape[-1] - width) // 2
    return output[:, top : top + geometry.working[0], left : left + geometry.working[1]]

"""Augmentation: a random crop, turned, mirrored, scaled and lit differently; image and target always alike."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from segdemo.types import LabelMap, RGBImage

__all__ = ["Augmentation", "augment"]


@dataclass(frozen=True)
class Augmentation:
    """How far a training sample may stray. Brightness and contrast are in units of the normalised image."""

    scale: tuple[float, float] = (0.6, 1.7)  # drawn evenly on a logarithmic axis
    flips: bool = True
    quarter_turns: bool = True
    brightness: float = 0.3
    contrast: float = 0.3
    color: float = 0.1  # contrast and brightness of each channel on its own
    blur: float = 0.15  # share of samples blurred
    noise: float = 0.15  # share of samples with Gaussian noise


def _crop(image: RGBImage, target: LabelMap, window: int, rng: np.random.Generator) -> tuple[RGBImage, LabelMap]:
    """A window×window part at a random place; a picture too small for it is continued by reflection."""
    below, right = max(0, window - image.shape[0]), max(0, window - image.shape[1])
    top = int(rng.integers(0, image.shape[0] + below - window + 1))
    left = int(rng.integers(0, image.shape[1] + right - window + 1))
    part = np.s_[top : top + window, left : left + window]
    image, target = image[part], target[part]
    if below or right:
        border = (window - image.shape[0], 0, window - image.shape[1], 0)
        image = cv2.copyMakeBorder(image, *border, cv2.BORDER_REFLECT_101)  # type: ignore[assignment]
        target = cv2.copyMakeBorder(target, *border, cv2.BORDER_REFLECT_101)  # type: ignore[assignment]
    return image, target


def _turned(array: NDArray[np.uint8], turns: int, mirror: bool) -> NDArray[np.uint8]:
    array = np.rot90(array, turns)
    return array[:, ::-1] if mirror else array


def _lit(image: NDArray[np.float32], settings: Augmentation, rng: np.random.Generator) -> NDArray[np.float32]:
    """Contrast and brightness of the whole and of each channel, sometimes blur, sometimes noise."""
    contrast = np.exp(rng.uniform(-settings.contrast, settings.contrast) + rng.uniform(-settings.color, settings.color, 3))
    brightness = rng.uniform(-settings.brightness, settings.brightness) + rng.uniform(-settings.color, settings.color, 3)
    image = image * contrast.astype(np.float32) + brightness.astype(np.float32)
    if rng.random() < settings.blur:
        image = cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.5, 1.5)))  # type: ignore[assignment]
    if rng.random() < settings.noise:
        image = image + rng.normal(0, rng.uniform(0.02, 0.15), image.shape).astype(np.float32)
    return image


def augment(
    image: RGBImage,
    target: LabelMap,
    crop: int,
    mean: tuple[float, float, float],
    std: tuple[float, float, float],
    settings: Augmentation,
    rng: np.random.Generator,
) -> tuple[NDArray[np.float32], LabelMap]:
    """image (H, W, 3), target (H, W) → normalised float32 (crop, crop, 3) and its target (crop, crop).

    `mean` and `std` are the whole picture's, because that is what the network will be given at prediction.
    """
    zoom = float(np.exp(rng.uniform(*np.log(settings.scale))))
    image, target = _crop(image, target, max(2, round(crop / zoom)), rng)
    interpolation = cv2.INTER_AREA if zoom < 1 else cv2.INTER_LINEAR
    image = cv2.resize(image, (crop, crop), interpolation=interpolation)  # type: ignore[assignment]
    target = cv2.resize(target, (crop, crop), interpolation=cv2.INTER_NEAREST_EXACT)  # type: ignore[assignment]
    turns = int(rng.integers(4)) if settings.quarter_turns else 0
    mirror = bool(settings.flips and rng.random() < 0.5)
    pixels = _turned(image, turns, mirror).astype(np.float32) / np.float32(255)
    pixels = ((pixels - np.array(mean, np.float32)) / np.array(std, np.float32)).astype(np.float32, copy=False)
    return _lit(pixels, settings, rng), np.ascontiguousarray(_turned(target, turns, mirror))

"""A set of equal crops from a visitor's own pictures and masks, held in two halves that share no pixel."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from segdemo.data.imbalanced import PictureSet
from segdemo.errors import DataSetError
from segdemo.geometry import resize_nearest
from segdemo.text import _
from segdemo.types import IGNORE_INDEX, LabelMap, RGBImage

__all__ = ["Pair", "crop_set"]

Pair = tuple[RGBImage, LabelMap]  # a picture and its mask: 0 background, 255 ignored, all else foreground
CROPS_ACROSS = 4  # a picture's shorter side is scaled down to this many crops, so that objects are seen whole
TRIES = 30


def crop_set(pairs: Sequence[Pair], size: int = 64, *, seed: int = 0, train: int = 48, validation: int = 8) -> PictureSet:
    """Random crops of `size`². Of several pictures the last quarter validates; of a single one its right-hand third.

    Raises DataSetError where there is no pair, no foreground to learn from, or a mask of another size than its picture.
    """
    if not pairs:
        raise DataSetError(_("There is no picture with a mask."))
    if any(image.shape[:2] != mask.shape for image, mask in pairs):
        raise DataSetError(_("A picture and its mask must have the same size."))
    scaled = [_fitted(image, mask, size) for image, mask in pairs]
    learned, held_out = _split(scaled, size)
    rng = np.random.default_rng(seed)
    images, targets = _crops(learned, train, size, rng)
    if not (targets == 1).any():
        raise DataSetError(_("The masks hold no foreground where the race would train."))
    return PictureSet(images, targets, *_crops(held_out, validation, size, rng))


def _fitted(image: RGBImage, mask: LabelMap, size: int) -> Pair:
    """The pair at most CROPS_ACROSS crops high or wide, whichever is less, and at least two wide, one high."""
    height, width = mask.shape
    scale = max(min(1.0, CROPS_ACROSS * size / min(height, width)), size / height, size / width)
    fitted = max(size, round(height * scale)), max(size, round(width * scale))
    mode = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    binary = np.where(mask == IGNORE_INDEX, IGNORE_INDEX, mask > 0).astype(np.uint8)
    small = cv2.resize(image, (fitted[1], fitted[0]), interpolation=mode)
    return np.asarray(small, dtype=np.uint8), resize_nearest(binary, fitted)


def _split(pairs: list[Pair], size: int) -> tuple[list[Pair], list[Pair]]:
    if len(pairs) > 1:
        held_out = max(1, len(pairs) // 4)
        return pairs[:-held_out], pairs[-held_out:]
    image, mask = pairs[0]
    if mask.shape[1] < 2 * size:  # too narrow for two crops beside each other
        image, mask = _fitted(np.asarray(cv2.resize(image, None, fx=2, fy=2)), np.repeat(np.repeat(mask, 2, 0), 2, 1), size)
    border = min(mask.shape[1] - size, round(mask.shape[1] * 2 / 3))
    return [(image[:, :border], mask[:, :border])], [(image[:, border:], mask[:, border:])]


def _crops(pairs: list[Pair], count: int, size: int, rng: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """`count` crops, the pictures in turn; one without foreground is drawn again a few times."""
    images, targets = [], []
    for number in range(count):
        image, mask = pairs[number % len(pairs)]
        for _try in range(TRIES):
            top, left = (int(rng.integers(0, side - size + 1)) for side in mask.shape)
            target = mask[top : top + size, left : left + size]
            if (target == 1).any():
                break
        images.append(image[top : top + size, left : left + size])
        targets.append(target)
    return np.stack(images), np.stack(targets)

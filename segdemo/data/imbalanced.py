"""A small generated set whose foreground share is adjustable: round warm cells among cool debris on mottled ground.

Made for comparing losses. The share of a picture lies within 40 % or so of the set's, and cells are added and cut until it is
reached, so that 0.5 % means 0.5 %. Debris covers as much as the cells do: finding what is bright is not enough.
The same seed gives the same set on every machine.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from segdemo.errors import SettingError
from segdemo.text import _
from segdemo.types import IGNORE_INDEX

__all__ = ["LARGEST_SHARE", "SMALLEST_SHARE", "PictureSet", "draw_cells", "imbalanced_set"]

SMALLEST_SHARE, LARGEST_SHARE = 0.002, 0.6
SUPERSAMPLED = 16  # OpenCV draws at sixteenths of a pixel
ATTEMPTS = 600


@dataclass(frozen=True)
class PictureSet:
    """Pictures (N, S, S, 3) uint8 and exact masks (N, S, S) uint8 of 0, 1 or 255 (ignored), to train and to validate on.

    The arrays are read-only: visitors with the same settings share them.
    """

    images: NDArray[np.uint8]
    targets: NDArray[np.uint8]
    validation_images: NDArray[np.uint8]
    validation_targets: NDArray[np.uint8]

    def __post_init__(self) -> None:
        for array in (self.images, self.targets, self.validation_images, self.validation_targets):
            array.setflags(write=False)

    @property
    def size(self) -> int:
        """Pixels a side."""
        return int(self.images.shape[1])

    @property
    def foreground_share(self) -> float:
        """Foreground pixels over all that count, of the training pictures; NaN where none counts."""
        counted = int((self.targets != IGNORE_INDEX).sum())
        return int((self.targets == 1).sum()) / counted if counted else float("nan")


def imbalanced_set(share: float, size: int = 64, *, seed: int = 0, train: int = 48, validation: int = 8) -> PictureSet:
    """A set of `train` and `validation` pictures of `size`² (32–256) with a mean foreground `share` (0.002–0.6).

    Raises SettingError outside these ranges.
    """
    if not (SMALLEST_SHARE <= share <= LARGEST_SHARE and 32 <= size <= 256 and train >= 1 and validation >= 1):
        raise SettingError(
            _("A generated set has a foreground share from {low} to {high} and 32 to 256 pixels a side.",
              low=SMALLEST_SHARE, high=LARGEST_SHARE)
        )  # fmt: skip
    rng = np.random.default_rng([seed, size, round(share * 1e6)])
    spread = rng.uniform(0.6, 1.4, train + validation)
    spread[:train] /= spread[:train].mean()  # the mean share of either part is the one that was asked for
    spread[train:] /= spread[train:].mean()
    scenes = [draw_cells(size, float(min(share * factor, 0.75)), rng) for factor in spread]
    images, targets = np.stack([image for image, _mask in scenes]), np.stack([mask for _image, mask in scenes])
    return PictureSet(images[:train].copy(), targets[:train].copy(), images[train:].copy(), targets[train:].copy())


def draw_cells(size: int, share: float, rng: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """One picture (size, size, 3) and its mask (size, size), 1 where a cell is. They cover `share` (0–0.75) of the pixels,
    or up to 5 % less: crumbs are left out."""
    wanted = max(1, round(share * size * size))
    radius = float(np.clip(np.sqrt(wanted / (4 * np.pi)), 1.5, 0.16 * size))  # about four cells, or more
    debris, _area = _scattered(size, min(wanted, 0.2 * size * size), radius, rng, np.zeros((size, size), np.uint8))
    cells, _area = _scattered(size, wanted, radius, rng, debris)
    image = _mottled(size, rng)
    _tint(image, debris, np.array([0.35, 0.5, 0.62]), rng)
    _tint(image, cells, np.array([0.66, 0.47, 0.42]), rng)
    blurred = cv2.GaussianBlur(image, (0, 0), 0.6) + rng.normal(0, 0.045, image.shape).astype(np.float32)
    return np.rint(blurred.clip(0, 1) * 255).astype(np.uint8), (cells > 0).astype(np.uint8)


def _scattered(
    size: int, wanted: float, radius: float, rng: np.random.Generator, taken: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], int]:
    """A map (size, size) of object numbers 1–255 on free ground, and their area; objects shrink to what is still wanted."""
    found = np.zeros((size, size), np.uint8)
    area = number = 0
    for attempt in range(ATTEMPTS):
        missing = wanted - area
        if missing < max(1.0, min(0.05 * wanted, 0.3 * np.pi * radius**2) if area else 1.0):
            break
        tight = 0.35 if attempt > ATTEMPTS // 2 else 1.0  # crowded: only small ones still find a place
        own = min(radius * tight * rng.uniform(0.7, 1.3), float(np.sqrt(missing / np.pi)))
        stencil = _ellipse(size, own, rng)
        if not stencil.any() or (stencil & ((found > 0) | (taken > 0))).sum() > 0.15 * stencil.sum():
            continue
        free = (stencil > 0) & (found == 0) & (taken == 0)
        spare = int(free.sum()) - round(missing)
        if spare > 0:  # the very last one: what is too much is cut off
            free.flat[np.flatnonzero(free)[:spare]] = False
        number = number % 255 + 1
        found[free] = number
        area += int(free.sum())
    return found, area


def _ellipse(size: int, radius: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A turned ellipse of that mean radius somewhere in the picture, (size, size) of 0 and 1."""
    stencil = np.zeros((size, size), np.uint8)
    centre, stretch = rng.uniform(0, size - 1, 2), rng.uniform(0.8, 1.0)
    turn = float(rng.uniform(0, 180))
    if radius < 1.2:
        stencil[round(centre[1]), round(centre[0])] = 1
        return stencil
    axes = (round((radius / stretch - 0.5) * SUPERSAMPLED), round((radius * stretch - 0.5) * SUPERSAMPLED))
    place = (round(centre[0] * SUPERSAMPLED), round(centre[1] * SUPERSAMPLED))
    cv2.ellipse(stencil, place, axes, turn, 0, 360, 1, -1, cv2.LINE_8, 4)
    return stencil


def _mottled(size: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Greyish ground (size, size, 3) in 0–1 with soft spots, uneven light and a slight hue."""
    coarse = cv2.resize(rng.normal(0, 1, (6, 6)).astype(np.float32), (size, size), interpolation=cv2.INTER_CUBIC)
    fine = cv2.GaussianBlur(rng.normal(0, 1, (size, size)).astype(np.float32), (0, 0), 1.6)
    grey = rng.uniform(0.4, 0.55) + 0.06 * coarse + 0.09 * fine
    return np.asarray(grey[..., None] + rng.uniform(-0.02, 0.02, 3), dtype=np.float32)


def _tint(image: NDArray[np.float32], objects: NDArray[np.uint8], colour: NDArray[np.float64], rng: np.random.Generator) -> None:
    """Colour every object in its own shade, partly see-through."""
    for number in np.unique(objects[objects > 0]):
        inside = objects == number
        shade = colour * rng.uniform(0.8, 1.15) + rng.normal(0, 0.03, 3)
        image[inside] = 0.35 * image[inside] + 0.65 * shade.astype(np.float32)

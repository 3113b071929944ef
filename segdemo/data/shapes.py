"""Generated scenes of shapes with exact masks: circles, squares, triangles and stars, textured, overlapping, noisy.

Objects are saturated and rimmed, the ground is greyish. Beyond that a network has to tell form from everything else: hue,
texture, size, turn and light are drawn without regard to the class. The same seed gives the same scene on every machine.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from segdemo.errors import SettingError
from segdemo.text import _
from segdemo.types import ClassInfo, LabelMap, RGBImage

__all__ = ["SHAPE_CLASSES", "draw_shapes"]

# Okabe–Ito colours: distinguishable with the common colour-vision deficiencies.
SHAPE_CLASSES = (
    ClassInfo("background", (0, 0, 0)),
    ClassInfo("circle", (230, 159, 0)),
    ClassInfo("square", (86, 180, 233)),
    ClassInfo("triangle", (0, 158, 115)),
    ClassInfo("star", (204, 121, 167)),
)
MAX_OBJECTS = 400
RIM = 0.45  # brightness of an object's rim, of its surface's
OBJECT_STRENGTH, BACKGROUND_STRENGTH = 0.1, 0.04  # of textures: objects may be busy, the ground is calmer


def _polygon(corners: int, radius: float, inner: float | None, angle: float) -> NDArray[np.float64]:
    """Corners (K, 2) of a regular polygon, or of a star where every second corner lies on the inner radius."""
    count = corners * (2 if inner is not None else 1)
    radii = np.full(count, radius)
    if inner is not None:
        radii[1::2] = inner
    angles = angle + np.arange(count) * 2 * np.pi / count
    return np.stack([radii * np.cos(angles), radii * np.sin(angles)], axis=1)


def _outline(label: int, radius: float, angle: float) -> NDArray[np.float64]:
    if label == 1:
        return _polygon(90, radius, None, angle)
    if label == 2:
        return _polygon(4, radius * 1.15, None, angle)
    if label == 3:
        return _polygon(3, radius * 1.3, None, angle)
    return _polygon(5, radius * 1.25, radius * 0.52, angle)


def _ground_colour(rng: np.random.Generator) -> NDArray[np.float32]:
    """A greyish RGB colour in 0–1."""
    return np.asarray(rng.uniform(0.25, 0.75) + rng.uniform(-0.06, 0.06, 3), dtype=np.float32)


def _object_colour(rng: np.random.Generator) -> NDArray[np.float32]:
    """A saturated RGB colour in 0–1 of any hue."""
    hsv = np.array([rng.uniform(0, 360), rng.uniform(0.5, 1), rng.uniform(0.5, 1)], np.float32)
    return np.asarray(cv2.cvtColor(hsv[None, None], cv2.COLOR_HSV2RGB)[0, 0], dtype=np.float32)


def _texture(
    height: int, width: int, rng: np.random.Generator, colour: NDArray[np.float32], strength: float
) -> NDArray[np.float32]:
    """A surface (H, W, 3) in 0–1: a colour, a slope of light, and stripes, checks, speckle or nothing on it."""
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    along = rows * np.float32(np.sin(angle)) + columns * np.float32(np.cos(angle))
    across = rows * np.float32(np.cos(angle)) - columns * np.float32(np.sin(angle))
    period = rng.uniform(4, 24)
    pattern = [
        np.zeros_like(along),
        np.sign(np.sin(2 * np.pi * along / period)),
        np.sign(np.sin(2 * np.pi * along / period) * np.sin(2 * np.pi * across / period)),
        cv2.GaussianBlur(rng.normal(0, 3, (height, width)).astype(np.float32), (0, 0), rng.uniform(0.8, 3)),
    ][int(rng.integers(4))]
    slope = (along - along.mean()) / max(height, width) * rng.uniform(0, 0.4)
    relief = (slope + pattern * rng.uniform(0.2, 1) * strength).astype(np.float32)
    surface: NDArray[np.float32] = colour + relief[..., None]
    return surface


def _paint(
    image: NDArray[np.float32],
    labels: LabelMap,
    corners: NDArray[np.float64],
    label: int,
    colour: NDArray[np.float32],
    rng: np.random.Generator,
) -> None:
    """Fill one outline (K, 2) of x, y with a texture of its own, in the picture and in the mask."""
    left, top = np.floor(corners.min(axis=0)).astype(int).clip(min=0)
    right, bottom = np.minimum(np.ceil(corners.max(axis=0)).astype(int) + 1, labels.shape[::-1])
    if right <= left or bottom <= top:
        return
    box = np.s_[top:bottom, left:right]
    stencil = np.zeros((bottom - top, right - left), np.uint8)
    cv2.fillPoly(stencil, [np.rint((corners - (left, top)) * 16).astype(np.int32)], 1, shift=4)
    covered = stencil.astype(bool)
    image[box][covered] = _texture(bottom - top, right - left, rng, colour, OBJECT_STRENGTH)[covered]
    # A darker rim, as a solid thing has: shapes that overlap stay apart.
    inner = cv2.erode(stencil, np.ones((3, 3), np.uint8), iterations=max(1, min(labels.shape) // 160))
    image[box][covered & (inner == 0)] *= RIM
    labels[box][covered] = label


def draw_shapes(
    height: int = 256, width: int = 256, *, seed: int = 0, foreground_share: float = 0.3, noise: float = 0.05
) -> tuple[RGBImage, LabelMap]:
    """A scene (H, W, 3) uint8 and its exact mask (H, W): 0 background, 1 circle, 2 square, 3 triangle, 4 star.

    Shapes are added until `foreground_share` (0–0.9) of the picture is covered; later ones lie over earlier ones.
    `noise` is the standard deviation of Gaussian noise, of values in 0–1. Raises SettingError outside these ranges.
    """
    if not (8 <= height <= 4096 and 8 <= width <= 4096):
        raise SettingError(_("A scene has between 8 and 4096 pixels a side, not {height}×{width}.", height=height, width=width))
    if not (0 <= foreground_share <= 0.9 and 0 <= noise <= 1):
        raise SettingError(_("The foreground share lies between 0 and 0.9, the noise between 0 and 1."))
    rng = np.random.default_rng(seed)
    ground = _ground_colour(rng)
    image = _texture(height, width, rng, ground, BACKGROUND_STRENGTH)
    labels = np.zeros((height, width), np.uint8)
    side = min(height, width)
    for _attempt in range(MAX_OBJECTS):
        if np.count_nonzero(labels) >= foreground_share * labels.size:
            break
        label = int(rng.integers(1, len(SHAPE_CLASSES)))
        radius = rng.uniform(0.06, 0.09 + 0.13 * min(1.0, foreground_share * 2)) * side
        centre = rng.uniform(0, 1, 2) * (width, height)
        corners = _outline(label, max(radius, 2), rng.uniform(0, 2 * np.pi)) + centre
        _paint(image, labels, corners, label, _object_colour(rng), rng)
    image += rng.normal(0, noise, image.shape).astype(np.float32)
    return (image.clip(0, 1) * 255).round().astype(np.uint8), labels

"""Generated micrographs of cell nuclei with exact masks: for tests and lessons, not a stand-in for real ones.

Nuclei are ellipses whose outline wavers (a few Fourier terms), lit unevenly, blurred by the optics and covered with the
camera's noise. The same seed gives the same picture on every machine.
"""

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from segdemo.errors import SettingError
from segdemo.text import _
from segdemo.types import LabelMap, RGBImage

__all__ = ["Stain", "draw_nuclei"]

Stain = Literal["fluorescence", "stained"]


def _outline(radius: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """A closed, wavering ellipse around the origin, (K, 2)."""
    angles = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    wave = np.zeros_like(angles)
    for k in (2, 3, 4, 5):
        wave += rng.normal(0, 0.05 / k) * np.cos(k * angles + rng.uniform(0, 2 * np.pi))
    points = (1 + wave)[:, None] * np.stack([np.cos(angles), rng.uniform(0.6, 0.95) * np.sin(angles)], axis=1) * radius
    turn = rng.uniform(0, 2 * np.pi)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return np.asarray(points @ rotation.T)


def _smooth(height: int, width: int, sigma: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Noise without sharp edges, mean 0 and standard deviation 1. Coarse noise is drawn coarsely, then enlarged."""
    step = max(1, int(sigma / 4))
    small = rng.normal(size=(height // step + 2, width // step + 2)).astype(np.float32)
    blurred = cv2.GaussianBlur(small, (0, 0), sigma / step)
    field = cv2.resize(blurred, (width, height), interpolation=cv2.INTER_CUBIC) if step > 1 else blurred[:height, :width]
    return np.asarray((field - field.mean()) / max(float(field.std()), 1e-6), dtype=np.float32)


def _place(height: int, width: int, count: int, rng: np.random.Generator) -> tuple[LabelMap, NDArray[np.float32]]:
    """Mask (H, W) and brightness (H, W) of nuclei that do not overlap by much."""
    labels = np.zeros((height, width), np.uint8)
    brightness = np.zeros((height, width), np.float32)
    typical = rng.uniform(0.035, 0.055) * float(np.sqrt(height * width))
    for _attempt in range(count):
        corners = _outline(max(3.0, typical * rng.uniform(0.75, 1.3)), rng) + rng.uniform(0, 1, 2) * (width, height)
        stencil = np.zeros((height, width), np.uint8)
        cv2.fillPoly(stencil, [np.rint(corners * 16).astype(np.int32)], 1, shift=4)
        area = int(stencil.sum())
        if area == 0 or int((stencil & labels).sum()) > 0.1 * area:
            continue
        labels |= stencil
        brightness[stencil > 0] = rng.uniform(0.45, 1.0)
    return labels, brightness


def draw_nuclei(
    height: int = 256, width: int = 256, *, seed: int = 0, count: int = 40, kind: Stain = "fluorescence", noise: float = 0.03
) -> tuple[RGBImage, LabelMap]:
    """A micrograph (H, W, 3) uint8 and its exact mask (H, W): 1 where a nucleus is.

    Up to `count` (0–2000) nuclei: those that would overlap are left out. `noise` (0–1) is the standard deviation of the
    camera's noise, of values in 0–1. "fluorescence" glows on black, "stained" is purple on pink. Raises SettingError.
    """
    if not (16 <= height <= 4096 and 16 <= width <= 4096):
        raise SettingError(
            _("A micrograph has between 16 and 4096 pixels a side, not {height}×{width}.", height=height, width=width)
        )
    if not (0 <= count <= 2000 and 0 <= noise <= 1) or kind not in ("fluorescence", "stained"):
        raise SettingError(_('Nuclei: count 0 to 2000, noise 0 to 1, kind "fluorescence" or "stained".'))
    rng = np.random.default_rng(seed)
    labels, brightness = _place(height, width, count, rng)
    scale = float(np.sqrt(height * width)) / 256
    mottled = brightness * (1 + 0.14 * _smooth(height, width, 2.2 * scale, rng)) * labels
    inside = np.asarray(cv2.GaussianBlur(mottled.astype(np.float32), (0, 0), 1.1 * scale), dtype=np.float32)
    wide = 2 * int(8 * scale) + 1
    glow = cv2.blur(cv2.blur(inside, (wide, wide)), (wide, wide))  # two boxes come close to a Gaussian
    light = 1 + 0.12 * _smooth(height, width, 60 * scale, rng)
    if kind == "fluorescence":
        grey = (0.05 + 0.5 * inside + 0.1 * glow) * light
        image: NDArray[np.floating] = np.repeat(grey[..., None], 3, axis=2) + rng.normal(0, noise, (height, width, 1))
    else:
        image = _stained(inside, light, scale, rng) + rng.normal(0, noise, (height, width, 3))
    return np.rint(image.clip(0, 1) * 255).astype(np.uint8), labels


def _stained(
    inside: NDArray[np.float32], light: NDArray[np.float32], scale: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Haematoxylin in the nuclei, eosin around them: each dye takes its colours out of white light (Beer–Lambert)."""
    height, width = inside.shape
    tissue = 0.32 + 0.1 * _smooth(height, width, 9 * scale, rng) + 0.05 * _smooth(height, width, 2 * scale, rng)
    haematoxylin = np.array([0.9, 1.15, 0.45], np.float32)
    eosin = np.array([0.12, 0.75, 0.42], np.float32)
    absorbed = 1.25 * inside[..., None] * haematoxylin + tissue.clip(0, 1)[..., None] * eosin
    return np.asarray(0.97 * np.exp(-absorbed) * (0.6 + 0.4 * light)[..., None], dtype=np.float32)

"""Spoiling a mask: moved, turned, grown, with objects lost or made up, noisy, blurred, too sure or unsure of itself.

Two steps. `spoil` makes another mask of the truth, in a fixed order: drop, add, rotate, shift, grow or shrink, salt, paint.
`to_logits` then says how sure the prediction is where it is right and where it is wrong, blurs, and divides by the temperature.
`Damage()` changes nothing: the mask is the truth. Equal settings give equal masks, and more of a damage that is drawn by
chance contains all that less of it drew.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from segdemo.errors import SettingError
from segdemo.text import _

__all__ = [
    "RANGES", "Damage", "Logits", "Mask", "Paint", "add_objects", "count_objects", "drop_objects", "grow", "rotate", "salt",
    "shift", "spoil", "to_logits",
]  # fmt: skip

Mask = NDArray[np.bool_]  # (H, W), foreground
Paint = NDArray[np.int8]  # (H, W): 1 painted, −1 erased, 0 left alone
Logits = NDArray[np.float32]  # (H, W)

MOST_SURE = 1 - 1e-6  # a probability of 1 would have no logit
GAP = 2  # pixels between an added object and all others
LEAST_RADIUS = 1.0  # pixels
# OpenCV's distances differ by a few millionths from call to call (its issue 24082), and must not decide a tie. Up to RANGES'
# 40 pixels, two different distances between pixels of which one is whole lie 0.012 apart.
TIE = 0.005


@dataclass(frozen=True)
class Damage:
    """How a prediction differs from the truth. Lengths in pixels; the ranges stand in RANGES.

    right and wrong: the probability given to the predicted class where that is right, and where it is wrong.
    temperature divides the logits: above 1 less sure, below 1 surer. seed places what is drawn by chance.
    """

    dx: int = 0  # to the right
    dy: int = 0  # downwards
    angle: float = 0.0  # degrees, counter-clockwise about the middle
    grow: int = 0  # dilates; below 0 erodes
    drop: int = 0  # objects, smallest first
    largest_first: bool = False  # … or largest first
    add: int = 0  # objects of the usual size, on background
    salt: float = 0.0  # share of the pixels that are flipped
    blur: float = 0.0  # standard deviation of the Gaussian
    right: float = 0.99
    wrong: float = 0.9
    temperature: float = 1.0
    seed: int = 0


RANGES: dict[str, tuple[float, float]] = {
    "dx": (-128, 128), "dy": (-128, 128), "angle": (-180, 180), "grow": (-40, 40), "drop": (0, 10_000), "add": (0, 60),
    "salt": (0, 1), "blur": (0, 32), "right": (0.5, MOST_SURE), "wrong": (0.5, MOST_SURE), "temperature": (0.05, 20),
    "seed": (0, 2**32),
}  # fmt: skip


def spoil(truth: Mask, damage: Damage, paint: Paint | None = None) -> Mask:
    """The predicted mask (H, W). `paint` (H, W) goes over everything. Raises SettingError for settings outside RANGES."""
    _check(damage)
    mask = drop_objects(truth, damage.drop, largest_first=damage.largest_first)
    mask = mask | (add_objects(truth, damage.add, damage.seed) & ~truth) if damage.add else mask
    mask = grow(shift(rotate(mask, damage.angle), damage.dx, damage.dy), damage.grow)
    mask = salt(mask, damage.salt, damage.seed)
    if paint is not None:
        mask = (mask | (paint > 0)) & ~(paint < 0)
    return mask


def to_logits(mask: Mask, truth: Mask, damage: Damage) -> Logits:
    """Logits (H, W) float32 of a predicted mask, positive where foreground is likelier.

    A pixel that agrees with the truth gives its class the probability `right`, another `wrong`; the probabilities are then
    blurred, and their logits divided by the temperature. Raises SettingError for settings outside RANGES.
    """
    _check(damage)
    sure = np.where(mask == truth, damage.right, damage.wrong)
    probs = np.where(mask, sure, 1 - sure)
    if damage.blur:
        probs = np.asarray(cv2.GaussianBlur(probs, (0, 0), damage.blur, borderType=cv2.BORDER_REPLICATE))
    probs = probs.clip(1 - MOST_SURE, MOST_SURE)
    return np.asarray(np.log(probs / (1 - probs)) / damage.temperature, dtype=np.float32)


def shift(mask: Mask, dx: int, dy: int) -> Mask:
    """Moved dx to the right and dy down; what leaves the picture is lost, what comes in is background."""
    height, width = mask.shape
    moved = np.zeros_like(mask)
    if abs(dx) < width and abs(dy) < height:
        rows, columns = slice(max(0, dy), height + min(0, dy)), slice(max(0, dx), width + min(0, dx))
        moved[rows, columns] = mask[max(0, -dy) : height + min(0, -dy), max(0, -dx) : width + min(0, -dx)]
    return moved


def rotate(mask: Mask, angle: float) -> Mask:
    """Turned by degrees, counter-clockwise about the picture's middle, by nearest neighbour; corners come in as background."""
    if angle % 360 == 0:
        return mask
    height, width = mask.shape
    turn = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), angle, 1.0)
    turned = cv2.warpAffine(mask.astype(np.uint8), turn, (width, height), flags=cv2.INTER_NEAREST)
    return np.asarray(turned > 0)


def grow(mask: Mask, radius: int) -> Mask:
    """Dilated: all pixels within `radius` of the mask. Below 0, eroded: those farther than that from the background.

    Distances are straight-line, between pixel centres; the picture's edge is no background.
    """
    if radius == 0 or not mask.any() or mask.all():
        return mask
    outside = mask if radius < 0 else ~mask
    distance = cv2.distanceTransform(outside.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(distance > TIE - radius if radius < 0 else distance <= radius + TIE)


def count_objects(mask: Mask) -> int:
    """8-connected regions of foreground."""
    return int(cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)[0]) - 1


def drop_objects(mask: Mask, count: int, *, largest_first: bool = False) -> Mask:
    """Without the `count` smallest (or largest) 8-connected objects; all gone where there are no more than that."""
    if count <= 0:
        return mask
    _count, regions, stats, _centres = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    areas = stats[1:, cv2.CC_STAT_AREA].astype(np.int64)
    order = np.argsort(-areas if largest_first else areas, kind="stable") + 1
    kept = np.ones(len(areas) + 1, bool)
    kept[0], kept[order[:count]] = False, False
    return np.asarray(kept[regions])


def add_objects(mask: Mask, count: int, seed: int = 0) -> Mask:
    """With `count` more discs on the background, as large as the usual object, GAP pixels away from everything else.

    Where no disc of that size has room, a smaller one is tried; fewer are added where not even that fits.
    """
    rng = np.random.default_rng(seed)
    result, radius = mask.copy(), _usual_radius(mask)
    rows, columns = np.mgrid[0 : mask.shape[0], 0 : mask.shape[1]]
    for _object in range(count):
        room = _room(result)
        while radius >= LEAST_RADIUS and not (room > radius + GAP + TIE).any():
            radius *= 0.7
        if radius < LEAST_RADIUS:
            break
        places = np.argwhere(room > radius + GAP + TIE)
        y, x = places[int(rng.integers(len(places)))]
        result |= (rows - y) ** 2 + (columns - x) ** 2 <= radius**2
    return result


def salt(mask: Mask, share: float, seed: int = 0) -> Mask:
    """With that share of the pixels flipped, drawn by chance."""
    if share <= 0:
        return mask
    return mask ^ (np.random.default_rng(seed).random(mask.shape) < share)


def _usual_radius(mask: Mask) -> float:
    """Of a disc as large as the median object; a twelfth of the shorter side where there is none."""
    stats = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)[2]
    areas = stats[1:, cv2.CC_STAT_AREA]
    return max(LEAST_RADIUS, float(np.sqrt(np.median(areas) / np.pi)) if len(areas) else min(mask.shape) / 12)


def _room(mask: Mask) -> NDArray[np.float32]:
    """Distance of every pixel to the nearest object, or to what lies beyond the picture."""
    free = np.pad((~mask).astype(np.uint8), 1)
    return np.asarray(cv2.distanceTransform(free, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1])


def _check(damage: Damage) -> None:
    for name, (low, high) in RANGES.items():
        value = getattr(damage, name)
        if not low <= value <= high:
            raise SettingError(
                _("{name} lies between {low} and {high}, not at {value}.", name=name, low=low, high=high, value=value)
            )

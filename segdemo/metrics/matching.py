"""Objects found, missed, invented, split and merged: what a pixel score does not say when nuclei touch.

An object is an 8-connected region of one class, or what an instance map says. A predicted and a true object match if their
IoU reaches a threshold; from 0.5 on an object has one partner only (but for exact halves, of which one counts). Matched,
missed and false at 0.5 to 0.95 are what the 2018 Data Science Bowl was scored by (Caicedo et al., "Nucleus segmentation
across imaging experiments", Nature Methods 16, 2019), there with an IoU above the threshold instead of one that reaches it.

A true object is split if two or more predicted ones lie mostly (by more than half of their area) in it; a predicted object
is merged if two or more true ones lie mostly in it. Caicedo et al., "Evaluation of deep learning strategies for nucleus
segmentation in fluorescence images", Cytometry A 95, 2019, count every pair with an IoU above 0.1 instead, which leaves
small pieces out.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segdemo.errors import SettingError
from segdemo.metrics.counts import mean_of_known, ratio
from segdemo.metrics.objects import MIN_PIXELS, regions
from segdemo.metrics.overlaps import Overlaps, overlaps
from segdemo.text import _

__all__ = [
    "CHALLENGE_THRESHOLDS", "MATCH", "ObjectCounts", "challenge_precision", "challenge_precisions", "instance_counts",
    "object_counts",
]  # fmt: skip

CHALLENGE_THRESHOLDS = np.arange(50, 100, 5) / 100  # (10,): 0.5, 0.55, … 0.95
MATCH = 0.5


@dataclass(frozen=True, eq=False)
class ObjectCounts:
    """Objects of one class in one or more pictures; `+` adds pictures up.

    matched: pairs with an IoU of 0.5 or more. missed: true objects without a partner. false: predicted ones without.
    split: true objects with two or more predicted ones mostly inside them. merged: predicted ones with two or more true
    ones. A split or merged object may be matched all the same, by its largest part.
    at_thresholds (T, 3) int64: TP, FP, FN objects at each IoU threshold.
    """

    matched: int
    missed: int
    false: int
    split: int
    merged: int
    at_thresholds: NDArray[np.int64]

    def __add__(self, other: "ObjectCounts") -> "ObjectCounts":
        if self.at_thresholds.shape != other.at_thresholds.shape:
            raise SettingError(_("Objects that were counted at different IoU thresholds do not add up."))
        return ObjectCounts(
            self.matched + other.matched, self.missed + other.missed, self.false + other.false, self.split + other.split,
            self.merged + other.merged, self.at_thresholds + other.at_thresholds,
        )  # fmt: skip


def object_counts(
    preds: NDArray[np.integer], target: NDArray[np.integer], class_index: int, *, ignore_index: int = 255,
    thresholds: NDArray[np.float64] = CHALLENGE_THRESHOLDS, min_pixels: int = MIN_PIXELS,
) -> ObjectCounts:  # fmt: skip
    """The 8-connected regions of one class in two label maps (H, W), matched. See `instance_counts`."""
    valid = np.asarray(target) != ignore_index
    return instance_counts(
        regions(preds == class_index), regions(target == class_index), valid=valid, thresholds=thresholds, min_pixels=min_pixels
    )  # fmt: skip


def instance_counts(
    preds: NDArray[np.integer], target: NDArray[np.integer], *, valid: NDArray[np.bool_] | None = None,
    thresholds: NDArray[np.float64] = CHALLENGE_THRESHOLDS, min_pixels: int = MIN_PIXELS,
) -> ObjectCounts:  # fmt: skip
    """The objects of two instance maps (H, W), 0 for none and 1 … K for each object, matched.

    Objects smaller than min_pixels do not count. valid (H, W): False for ignored pixels. They cut no predicted object in two,
    but areas and IoU count valid pixels only; and a predicted object that lies mostly on ignored pixels is not called false,
    for nobody knows. Raises SettingError for thresholds below 0.5, where an object could have several partners.
    """
    thresholds = np.asarray(thresholds, np.float64)
    if thresholds.size == 0 or thresholds.min() < MATCH:
        raise SettingError(_("Objects are matched at IoU thresholds of 0.5 or more."))
    found = overlaps(preds, target, valid, min_pixels)
    at_half, *rest = _matches(found, np.array([MATCH, *thresholds]))
    matched, false, missed = at_half
    return ObjectCounts(
        matched, missed, false, _holding_several(found.true, found.inner * 2 > found.pred_areas[found.pred]),
        _holding_several(found.pred, found.inner * 2 > found.true_areas[found.true]), np.array(rest, dtype=np.int64),
    )  # fmt: skip


def challenge_precision(at_thresholds: NDArray[np.integer]) -> float:
    """Mean over the IoU thresholds of TP / (TP + FP + FN), 0–1, of counts (T, 3); NaN without objects in either."""
    return float(challenge_precisions(np.asarray(at_thresholds)))


def challenge_precisions(at_thresholds: NDArray[np.integer]) -> NDArray[np.float64]:
    """The same of several pictures: counts (…, T, 3) → (…). Their mean is the score of the nuclei challenge."""
    return mean_of_known(ratio(at_thresholds[..., 0], at_thresholds.sum(axis=-1)))


def _matches(found: Overlaps, thresholds: NDArray[np.float64]) -> list[tuple[int, int, int]]:
    """TP, FP, FN at each threshold ≥ 0.5.

    At such a threshold a pair stands alone, but for an object of which two others are exact halves. Every group, of two or
    three objects, is one match: as many as it has objects less its pairs.
    """
    true, pred = found.best_of_true[found.true_counts], found.best_of_pred[found.pred_counts]
    judged = found.best_of_pred[found.pred_counts & found.pred_judged]
    rows = []
    for threshold in thresholds:
        partnered = int((pred >= threshold).sum())
        tp = int((true >= threshold).sum()) + partnered - int((found.iou >= threshold).sum())
        rows.append((tp, int((judged < threshold).sum()) + partnered - tp, len(true) - tp))
    return rows


def _holding_several(holders: NDArray[np.intp], inside: NDArray[np.bool_]) -> int:
    return int((np.bincount(holders[inside]) >= 2).sum())

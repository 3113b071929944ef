"""The summary of an evaluation: one row a candidate, from the counts of the whole data set or as a mean over its pictures."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segdemo.evaluation.results import CandidateResult, Evaluation, PictureScores
from segdemo.evaluation.series import known_curve
from segdemo.metrics import (
    boundary_f1,
    challenge_precision,
    class_counts,
    expected_calibration_error,
    mean_of_known,
    scores_of_counts,
)

__all__ = ["SummaryRow", "summary_rows"]

Scores = NDArray[np.float64]
NAN = float("nan")
Per = Callable[[PictureScores], Scores]  # a score of each class (C,)


@dataclass(frozen=True)
class SummaryRow:
    """One candidate. Scores 0–1, NaN where undefined; which is which says `segdemo.evaluation.measures.MEASURES`.

    per_image: iou to boundary_f1 are means over pictures (for each class over the pictures where it can be scored, then over
    the classes) instead of scores of the summed counts. hausdorff95: pixels, a mean over pictures in both. pictures, failed:
    how many were scored, and how many the candidate could not segment. one_sided: (picture, class) pairs that only the truth
    or only the prediction holds, so that they have no Hausdorff distance. matched … merged: objects of all pictures (NaN
    without any picture). threshold: NaN of a candidate that has none. latency_ms: mean.
    """

    index: int
    key: str
    per_image: bool
    pictures: int
    failed: int
    iou: float
    iou_with_background: float
    dice: float
    precision: float
    recall: float
    boundary_f1: float
    hausdorff95: float
    one_sided: int
    matched: float
    missed: float
    false: float
    split: float
    merged: float
    object_ap: float
    object_ap_pooled: float
    pixel_ap: float
    threshold: float
    best_threshold: float
    best_iou: float
    ece: float
    latency_ms: float


def summary_rows(evaluation: Evaluation, *, per_image: bool = False) -> list[SummaryRow]:
    """One row a candidate, in the evaluation's order."""
    return [_row(evaluation, index, result, per_image) for index, result in enumerate(evaluation.results)]


def _row(evaluation: Evaluation, index: int, result: CandidateResult, per_image: bool) -> SummaryRow:
    area = _area(result, len(evaluation.classes), per_image)
    times = [scores.latency.total_ms for scores in result.pictures]
    return SummaryRow(
        index=index, key=result.candidate.key, per_image=per_image, pictures=len(result.pictures), failed=len(result.failed),
        **area, **_objects(result), **_probabilities(evaluation, result), latency_ms=float(np.mean(times)) if times else NAN,
        hausdorff95=_mean([scores.hausdorff95 for scores in result.pictures]), one_sided=_one_sided(result),
        threshold=result.candidate.threshold if result.entry.binary else NAN, ece=expected_calibration_error(result.reliability),
    )  # fmt: skip


def _area(result: CandidateResult, count: int, per_image: bool) -> dict[str, float]:
    pictures = result.pictures
    if per_image:
        by_class = {name: _over_pictures([scores_of_counts(p.counts)[name] for p in pictures], count)
                    for name in ("iou", "dice", "precision", "recall")}  # fmt: skip
        outline = _over_pictures([boundary_f1(p.boundary) for p in pictures], count)
    else:
        by_class = scores_of_counts(class_counts(result.matrix))
        outline = boundary_f1(sum((p.boundary for p in pictures), np.zeros((count, 4), np.int64)))
    found = {name: float(mean_of_known(values[1:])) for name, values in by_class.items()}
    return found | {
        "iou_with_background": float(mean_of_known(by_class["iou"])),
        "boundary_f1": float(mean_of_known(outline[1:])),
    }


def _over_pictures(values: list[Scores], count: int) -> Scores:
    """Each class's mean (C,) over the pictures where it can be scored."""
    return np.asarray(mean_of_known(np.stack(values), axis=0)) if values else np.full(count, NAN)


def _mean(distances: list[Scores]) -> float:
    """Over the pictures where each foreground class has a distance, then over the classes."""
    return float(mean_of_known(_over_pictures(distances, 1)[1:])) if distances else NAN


def _one_sided(result: CandidateResult) -> int:
    occurs = [(scores.counts[1:, 0] + scores.counts[1:, 1] + scores.counts[1:, 2]) > 0 for scores in result.pictures]
    return sum(int((held & np.isnan(p.hausdorff95[1:])).sum()) for held, p in zip(occurs, result.pictures, strict=True))


def _objects(result: CandidateResult) -> dict[str, float]:
    names = ("matched", "missed", "false", "split", "merged")
    if not result.pictures:
        return dict.fromkeys((*names, "object_ap", "object_ap_pooled"), NAN)
    each = [scores.objects for scores in result.pictures]
    return {name: float(sum(getattr(objects, name) for objects in each)) for name in names} | {
        "object_ap": float(mean_of_known(np.array([challenge_precision(objects.at_thresholds) for objects in each]))),
        "object_ap_pooled": challenge_precision(np.sum([objects.at_thresholds for objects in each], axis=0)),
    }


def _probabilities(evaluation: Evaluation, result: CandidateResult) -> dict[str, float]:
    if (curve := known_curve(evaluation, result)) is None:
        return {"pixel_ap": NAN, "best_threshold": NAN, "best_iou": NAN}
    return {"pixel_ap": curve.average_precision, "best_threshold": float(curve.thresholds[curve.best]),
            "best_iou": float(curve.iou[curve.best])}  # fmt: skip

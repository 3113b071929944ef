"""The summary of an evaluation: one row a candidate, from the counts of the whole data set or as a mean over its pictures."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isnan

import numpy as np
from numpy.typing import NDArray

from segdemo.evaluation.scores.results import CandidateResult, Evaluation
from segdemo.evaluation.scores.rows import picture_boundary_f1
from segdemo.evaluation.scores.series import known_curve
from segdemo.metrics import (
    boundary_f1,
    challenge_precision,
    challenge_precisions,
    class_counts,
    expected_calibration_error,
    mean_of_known,
    scores_of_counts,
)

__all__ = ["SummaryRow", "ranked", "same_pictures", "summary_rows"]

Scores = NDArray[np.float64]
NAN = float("nan")


@dataclass(frozen=True)
class SummaryRow:
    """One candidate. Scores 0–1, NaN where undefined; which is which says `segdemo.evaluation.scores.measures.MEASURES`.

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


def ranked(evaluation: Evaluation) -> list[int]:
    """Places of the candidates, the highest IoU first, those without one last."""
    scores = [row.iou for row in summary_rows(evaluation)]
    return sorted(range(len(scores)), key=lambda index: (isnan(scores[index]), -scores[index]))


def same_pictures(evaluation: Evaluation) -> bool:
    """Whether all candidates were scored on the same pictures, so that their scores can be held against each other."""
    return len({frozenset(scores.picture for scores in result.pictures) for result in evaluation.results}) <= 1


def _row(evaluation: Evaluation, index: int, result: CandidateResult, per_image: bool) -> SummaryRow:
    times = [scores.latency.total_ms for scores in result.pictures]
    return SummaryRow(
        index=index, key=result.candidate.key, per_image=per_image, pictures=len(result.pictures), failed=len(result.failed),
        **_area(result, per_image), **_objects(result), **_probabilities(evaluation, result),
        latency_ms=float(np.mean(times)) if times else NAN, one_sided=_one_sided(result),
        hausdorff95=float(mean_of_known(mean_of_known(result.distances, axis=0)[1:])),
        threshold=result.candidate.threshold if result.entry.binary else NAN, ece=expected_calibration_error(result.reliability),
    )  # fmt: skip


def _area(result: CandidateResult, per_image: bool) -> dict[str, float]:
    by_class: Mapping[str, Scores]
    if per_image:  # each class's mean over the pictures where it can be scored
        by_class = {name: mean_of_known(values, axis=0) for name, values in scores_of_counts(result.counts).items()}
        outline = mean_of_known(picture_boundary_f1(result), axis=0)
    else:
        by_class, outline = scores_of_counts(class_counts(result.matrix)), boundary_f1(result.boundary.sum(axis=0))
    found = {name: float(mean_of_known(values[1:])) for name, values in by_class.items()}
    return found | {
        "iou_with_background": float(mean_of_known(by_class["iou"])),
        "boundary_f1": float(mean_of_known(outline[1:])),
    }


def _one_sided(result: CandidateResult) -> int:
    occurs = result.counts[:, 1:].sum(axis=-1) > 0
    return int((occurs & np.isnan(result.distances[:, 1:])).sum())


def _objects(result: CandidateResult) -> dict[str, float]:
    names = ("matched", "missed", "false", "split", "merged")
    if not result.pictures:
        return dict.fromkeys((*names, "object_ap", "object_ap_pooled"), NAN)
    return {name: float(sum(getattr(scores.objects, name) for scores in result.pictures)) for name in names} | {
        "object_ap": float(mean_of_known(challenge_precisions(result.objects_at_thresholds))),
        "object_ap_pooled": challenge_precision(result.objects_at_thresholds.sum(axis=0)),
    }


def _probabilities(evaluation: Evaluation, result: CandidateResult) -> dict[str, float]:
    if (curve := known_curve(evaluation, result)) is None:
        return {"pixel_ap": NAN, "best_threshold": NAN, "best_iou": NAN}
    return {"pixel_ap": curve.average_precision, "best_threshold": float(curve.thresholds[curve.best]),
            "best_iou": float(curve.iou[curve.best])}  # fmt: skip

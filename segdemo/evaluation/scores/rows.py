"""Tables of an evaluation below the summary: each class, each picture, and the pictures behind a cell of the confusion matrix."""

import math
from dataclasses import dataclass

import numpy as np

from segdemo.evaluation.results import CandidateResult, Evaluation, PictureScores
from segdemo.metrics import ObjectCounts, boundary_f1, challenge_precision, class_counts, mean_of_known, scores_of_counts
from segdemo.types import Size

__all__ = [
    "ClassRow", "PictureRow", "class_rows", "picture_row", "picture_rows", "picture_score", "picture_scores", "pictures_behind",
]  # fmt: skip

AREA_SCORES = ("iou", "dice", "precision", "recall")


@dataclass(frozen=True)
class ClassRow:
    """One candidate and one class over all pictures. Scores 0–1, hausdorff95 in pixels (mean where defined), NaN if undefined.

    target_pixels, preds_pixels: of the class in truth and prediction.
    """

    key: str
    class_index: int
    class_name: str
    iou: float
    dice: float
    precision: float
    recall: float
    boundary_f1: float
    hausdorff95: float
    target_pixels: int
    preds_pixels: int


@dataclass(frozen=True)
class PictureRow:
    """One candidate on one picture: means over the foreground classes that occur; NaN where there is none."""

    key: str
    picture: str
    size: Size
    iou: float
    dice: float
    precision: float
    recall: float
    boundary_f1: float
    hausdorff95: float
    objects: ObjectCounts
    object_ap: float
    latency_ms: float


def class_rows(evaluation: Evaluation) -> list[ClassRow]:
    """Every candidate and class, the background first, in the data's order."""
    return [row for result in evaluation.results for row in _rows_of(evaluation, result)]


def _rows_of(evaluation: Evaluation, result: CandidateResult) -> list[ClassRow]:
    counts = class_counts(result.matrix)
    scores = scores_of_counts(counts)
    count = len(evaluation.classes)
    outline = boundary_f1(sum((p.boundary for p in result.pictures), np.zeros((count, 4), np.int64)))
    distances = np.stack([p.hausdorff95 for p in result.pictures]) if result.pictures else np.full((1, count), np.nan)
    return [
        ClassRow(
            key=result.candidate.key, class_index=c, class_name=info.name, boundary_f1=float(outline[c]),
            hausdorff95=float(mean_of_known(distances[:, c])), target_pixels=int(counts[c, 0] + counts[c, 2]),
            preds_pixels=int(counts[c, 0] + counts[c, 1]), **{name: float(scores[name][c]) for name in AREA_SCORES},
        )
        for c, info in enumerate(evaluation.classes)
    ]  # fmt: skip


def picture_row(key: str, scores: PictureScores) -> PictureRow:
    """One candidate's scores on one picture."""
    area = {name: float(mean_of_known(values)) for name, values in scores_of_counts(scores.counts[1:]).items()}
    return PictureRow(
        key=key, picture=scores.picture, size=scores.size, **area,
        boundary_f1=float(mean_of_known(boundary_f1(scores.boundary[1:]))),
        hausdorff95=float(mean_of_known(scores.hausdorff95[1:])), objects=scores.objects,
        object_ap=challenge_precision(scores.objects.at_thresholds), latency_ms=scores.latency.total_ms,
    )  # fmt: skip


def picture_rows(evaluation: Evaluation) -> list[PictureRow]:
    """Every candidate on every picture, the lowest IoU first, what has none last."""
    rows = [picture_row(r.candidate.key, p) for r in evaluation.results for p in r.pictures]
    return sorted(rows, key=lambda row: (math.isnan(row.iou), row.iou))


def picture_score(scores: PictureScores, score: str = "iou") -> float:
    """One area score ("iou", "dice", "precision", "recall") of a picture: the mean over the foreground classes, or NaN."""
    return float(mean_of_known(scores_of_counts(scores.counts[1:])[score]))


def picture_scores(evaluation: Evaluation, score: str = "iou") -> dict[str, dict[int, float]]:
    """By picture, in the data's order: the score of each candidate (by index) that has one there."""
    found: dict[str, dict[int, float]] = {}
    for index, result in enumerate(evaluation.results):
        for scores in result.pictures:
            values = found.setdefault(scores.picture, {})
            value = picture_score(scores, score)
            if not math.isnan(value):
                values[index] = value
    return found


def pictures_behind(
    evaluation: Evaluation, candidate_index: int, target_class: int, predicted_class: int
) -> list[tuple[str, int]]:
    """The pictures that fill one cell of a candidate's confusion matrix, and with how many pixels, most first."""
    found = []
    for scores in evaluation.results[candidate_index].pictures:
        chosen = (scores.cells[:, 0] == target_class) & (scores.cells[:, 1] == predicted_class)
        if pixels := int(scores.cells[chosen, 2].sum()):
            found.append((scores.picture, pixels))
    return sorted(found, key=lambda item: -item[1])

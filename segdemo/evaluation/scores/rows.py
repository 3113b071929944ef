"""Tables of an evaluation below the summary: each class, each picture, and the pictures behind a cell of the confusion matrix."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segdemo.evaluation.scores.results import CandidateResult, Evaluation
from segdemo.metrics import (
    ObjectCounts,
    boundary_f1,
    challenge_precisions,
    class_counts,
    foreground_score,
    mean_of_known,
    scores_of_counts,
)
from segdemo.types import Size

__all__ = [
    "ClassRow", "PictureRow", "class_rows", "picture_boundary_f1", "picture_rows", "picture_scores", "pictures_behind",
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
    outline, distances = boundary_f1(result.boundary.sum(axis=0)), mean_of_known(result.distances, axis=0)
    return [
        ClassRow(
            key=result.candidate.key, class_index=c, class_name=info.name, boundary_f1=float(outline[c]),
            hausdorff95=float(distances[c]), target_pixels=int(counts[c, 0] + counts[c, 2]),
            preds_pixels=int(counts[c, 0] + counts[c, 1]), **{name: float(scores[name][c]) for name in AREA_SCORES},
        )
        for c, info in enumerate(evaluation.classes)
    ]  # fmt: skip


def picture_boundary_f1(result: CandidateResult) -> NDArray[np.float64]:
    """Boundary F1 (I, C) of a candidate on each picture."""
    flat = boundary_f1(result.boundary.reshape(-1, 4))
    return flat.reshape(result.boundary.shape[:2])


def picture_rows(evaluation: Evaluation) -> list[PictureRow]:
    """Every candidate on every picture, the lowest IoU first, what has none last."""
    rows = [row for result in evaluation.results for row in _picture_rows(result)]
    return sorted(rows, key=lambda row: (math.isnan(row.iou), row.iou))


def _picture_rows(result: CandidateResult) -> list[PictureRow]:
    key = result.candidate.key
    columns = {name: foreground_score(result.counts, name) for name in AREA_SCORES} | {
        "boundary_f1": mean_of_known(picture_boundary_f1(result)[:, 1:]),
        "hausdorff95": mean_of_known(result.distances[:, 1:]),
        "object_ap": challenge_precisions(result.objects_at_thresholds),
    }
    numbers = zip(*(column.tolist() for column in columns.values()), strict=True)
    return [
        PictureRow(key=key, picture=p.picture, size=p.size, objects=p.objects, latency_ms=p.latency.total_ms,
                   **dict(zip(columns, values, strict=True)))
        for p, values in zip(result.pictures, numbers, strict=True)
    ]  # fmt: skip


def picture_scores(evaluation: Evaluation, score: str = "iou") -> dict[str, dict[int, float]]:
    """By picture, in the data's order: the area score ("iou", "dice", "precision", "recall"), a mean over the foreground
    classes, of each candidate (by index) that has one there."""
    found: dict[str, dict[int, float]] = {}
    for index, result in enumerate(evaluation.results):
        for scores, value in zip(result.pictures, foreground_score(result.counts, score).tolist(), strict=True):
            values = found.setdefault(scores.picture, {})
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

"""One prediction against the truth: everything that is counted of it, so that the pixels themselves can be forgotten."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segdemo.evaluation.label_space import LabelSpace
from segdemo.evaluation.scores.results import EvaluationSettings, PictureScores
from segdemo.geometry import resize_nearest
from segdemo.metrics import (
    ObjectCounts,
    Reliability,
    boundary_counts,
    class_counts,
    confusion_matrix,
    hausdorff95,
    object_counts,
    reliability,
    threshold_counts,
)
from segdemo.types import IGNORE_INDEX, LabelMap, Prediction

__all__ = ["Scored", "score_prediction"]


@dataclass(frozen=True)
class Scored:
    """A picture's scores, and what adds up over pictures without being kept by picture; see `CandidateResult`."""

    scores: PictureScores
    matrix: NDArray[np.int64]
    threshold_counts: NDArray[np.int64] | None
    reliability: Reliability


def score_prediction(
    name: str, prediction: Prediction, preds: LabelMap, target: LabelMap, space: LabelSpace, settings: EvaluationSettings
) -> Scored:
    """Score a picture's prediction, whose label map in the common classes is `preds`, against the target (H, W) in them."""
    count = len(space.classes)
    matrix = confusion_matrix(preds, target, count)
    scores = PictureScores(
        name, (target.shape[0], target.shape[1]), _cells(matrix), class_counts(matrix),
        boundary_counts(preds, target, count, tolerance=settings.boundary_tolerance), hausdorff95(preds, target, count),
        _objects(preds, target, count), prediction.latency,
    )  # fmt: skip
    valid = target != IGNORE_INDEX
    if prediction.binary and count == 2:
        probs, truth = resize_nearest(prediction.scores[1], target.shape)[valid], target[valid] == 1
        counts = threshold_counts(probs, truth, np.asarray(settings.thresholds))
        return Scored(scores, matrix, counts, reliability(probs, truth, settings.bins))
    probs = resize_nearest(_prob_of_preds(prediction, space), target.shape)[valid]
    return Scored(scores, matrix, None, reliability(probs, (preds == target)[valid], settings.bins))


def _cells(matrix: NDArray[np.int64]) -> NDArray[np.int64]:
    rows, columns = np.nonzero(matrix)
    return np.stack([rows, columns, matrix[rows, columns]], axis=1).astype(np.int64)


def _objects(preds: LabelMap, target: LabelMap, count: int) -> ObjectCounts:
    """Of all foreground classes together; with none, of a class that never occurs."""
    found = [object_counts(preds, target, index) for index in range(1, max(2, count))]
    return sum(found[1:], found[0])


def _prob_of_preds(prediction: Prediction, space: LabelSpace) -> NDArray[np.float32]:
    """(h, w): the probability of the common class that was chosen, which sums those of all own classes that it stands for."""
    table = space.tables[prediction.weights_id][: len(prediction.scores)]
    chosen = prediction.scores.argmax(axis=0)
    if np.array_equal(table, np.arange(len(table))):
        return np.asarray(prediction.scores.max(axis=0))
    summed = np.zeros((len(space.classes), *chosen.shape), np.float32)
    for own, common in enumerate(table):
        summed[common] += prediction.scores[own]
    return np.asarray(np.take_along_axis(summed, table[chosen][None].astype(np.intp), axis=0)[0])

"""Small evaluations made by hand: label maps go in, counted with `segdemo.metrics` alone, no network runs."""

from collections.abc import Mapping, Sequence

import numpy as np

from segdemo.evaluation.candidate import Candidate
from segdemo.evaluation.scores.results import CandidateResult, Evaluation, EvaluationSettings, PictureScores
from segdemo.metrics import (
    boundary_counts,
    class_counts,
    confusion_matrix,
    hausdorff95,
    object_counts,
    reliability,
    threshold_counts,
)
from segdemo.types import ClassInfo, LabelMap, Latency, Notice
from segdemo.weights import get_weights

CLASSES = (ClassInfo("background", (0, 0, 0)), ClassInfo("nucleus", (230, 159, 0)))
THREE = (*CLASSES, ClassInfo("debris", (86, 180, 233)))
SETTINGS = EvaluationSettings()
Pairs = Mapping[str, tuple[LabelMap, LabelMap]]  # picture → preds, target


def square(top: int, left: int, side: int = 8, size: int = 32, value: int = 1) -> LabelMap:
    """A label map with one square of a class."""
    labels = np.zeros((size, size), np.uint8)
    labels[top : top + side, left : left + side] = value
    return labels


def scores_of(name: str, preds: LabelMap, target: LabelMap, count: int = 2) -> PictureScores:
    matrix = confusion_matrix(preds, target, count)
    rows, columns = np.nonzero(matrix)
    objects = [object_counts(preds, target, c) for c in range(1, count)]
    return PictureScores(
        name, (target.shape[0], target.shape[1]), np.stack([rows, columns, matrix[rows, columns]], axis=1), class_counts(matrix),
        boundary_counts(preds, target, count), hausdorff95(preds, target, count), sum(objects[1:], objects[0]), Latency(1, 2, 3),
    )  # fmt: skip


def result_of(key: str, pairs: Pairs, classes: Sequence[ClassInfo] = CLASSES, **more: object) -> CandidateResult:
    """A candidate that says 0.9 where it predicts the foreground and 0.2 elsewhere."""
    count = len(classes)
    weights_id, _at, threshold = key.partition("@threshold=")
    preds = np.concatenate([pair[0].ravel() for pair in pairs.values()]) if pairs else np.zeros(0, np.uint8)
    target = np.concatenate([pair[1].ravel() for pair in pairs.values()]) if pairs else np.zeros(0, np.uint8)
    probs, thresholds = np.where(preds == 1, 0.9, 0.2), np.asarray(SETTINGS.thresholds)
    counts = threshold_counts(probs, target == 1, thresholds) if count == 2 else None
    return CandidateResult(
        Candidate(weights_id, float(threshold or 0.5)), get_weights(weights_id),
        tuple(scores_of(name, *pair, count) for name, pair in pairs.items()), confusion_matrix(preds, target, count), counts,
        reliability(probs, target == 1), **more,
    )  # fmt: skip


def evaluation_of(results: Sequence[CandidateResult], classes: tuple[ClassInfo, ...] = CLASSES, **more: object) -> Evaluation:
    pictures = {scores.picture for result in results for scores in result.pictures}
    return Evaluation("hand-made", classes, tuple(results), len(pictures), len(pictures), SETTINGS, **more)


def two_candidates(names: Sequence[str] = ("a", "b", "c", "d", "e", "f")) -> Evaluation:
    """The first finds every square, the second one that is shifted by as many pixels as the picture's number."""
    exact = {name: (square(4, 4), square(4, 4)) for name in names}
    shifted = {name: (square(4, 4 + i), square(4, 4)) for i, name in enumerate(names)}
    return evaluation_of([result_of("unet/nuclei", exact), result_of("segnet/nuclei@threshold=0.3", shifted)])


def notice(sentence: str) -> Notice:
    return Notice("{sentence}", {"sentence": sentence})

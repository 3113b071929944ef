"""What the charts draw, as numbers: curves over thresholds, calibration, shares of a confusion matrix, the order of pictures."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segdemo.evaluation.scores.results import CandidateResult, Evaluation
from segdemo.evaluation.scores.rows import picture_scores
from segdemo.metrics import Reliability, average_precision, best_threshold, ratio, scores_of_counts

__all__ = ["Curve", "calibration_means", "curve_floor", "known_curve", "ordered_pictures", "row_shares"]

Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """A binary candidate at the settings' T thresholds: precision, recall, iou (T,), 0–1, NaN where nothing is predicted.

    best, in_use: places of the threshold with the highest IoU (the middle of equal ones) and of the one nearest to the
    candidate's own. average_precision: 0–1, over these thresholds.
    """

    thresholds: Scores
    precision: Scores
    recall: Scores
    iou: Scores
    best: int
    in_use: int
    average_precision: float


def known_curve(evaluation: Evaluation, result: CandidateResult) -> Curve | None:
    """A candidate's curve; None where it has none: it is not binary, or its foreground is nowhere, neither true nor said."""
    counts, thresholds = result.threshold_counts, np.asarray(evaluation.settings.thresholds)
    if counts is None or not len(thresholds):
        return None
    scores = scores_of_counts(counts)
    if np.isnan(scores["precision"]).all() or np.isnan(scores["recall"]).all():
        return None
    best, _score = best_threshold(counts, thresholds)
    return Curve(
        thresholds, scores["precision"], scores["recall"], scores["iou"], best=_nearest(thresholds, best),
        in_use=_nearest(thresholds, result.candidate.threshold), average_precision=average_precision(counts),
    )  # fmt: skip


def _nearest(thresholds: Scores, value: float) -> int:
    return int(np.abs(thresholds - value).argmin())


def curve_floor(curves: Iterable[Curve | None]) -> float:
    """Where both axes of precision and recall may start without cutting a curve: 0, 0.1 … 0.8."""
    lowest = [float(np.nanmin([curve.precision, curve.recall])) for curve in curves if curve is not None]
    return max(0, min(8, int(10 * min(lowest, default=0.0)))) / 10


def calibration_means(bins: Reliability) -> tuple[Scores, Scores, NDArray[np.int64]]:
    """Of the bins that hold pixels: mean probability said, share that was so, pixels."""
    held = bins.count > 0
    return bins.mean_prob[held], bins.frequency[held], bins.count[held]


def row_shares(matrix: NDArray[np.int64]) -> Scores:
    """Each cell of a confusion matrix (C, C) as a share of its row, 0–1; NaN in rows without a pixel."""
    return ratio(matrix, np.broadcast_to(matrix.sum(axis=1, keepdims=True), matrix.shape))


def ordered_pictures(evaluation: Evaluation, score: str = "iou") -> list[str]:
    """Names of the pictures that have a score, by its mean over the candidates, the worst first."""
    means = {name: sum(values.values()) / len(values) for name, values in picture_scores(evaluation, score).items() if values}
    return sorted(means, key=means.__getitem__)

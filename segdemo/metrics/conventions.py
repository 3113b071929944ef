"""The conventions by which one prediction gets many scores: per picture or pooled, which classes, what an absent class counts.

All of them start from one confusion matrix a picture, so that they differ in nothing but the counting.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from segdemo.metrics.counts import class_counts, mean_of_known, ratio, scores_of_counts

__all__ = ["Averaging", "Convention", "EmptyMask", "ScoreName", "class_scores", "score_under"]

ScoreName = Literal["dice", "iou"]
EmptyMask = Literal["both", "truth", "one", "zero", "smooth"]
Averaging = Literal["foreground", "all", "micro", "frequency"]
Matrices = NDArray[np.int64]  # (I, C, C), one a picture: rows = target, columns = preds
Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Convention:
    """One way of counting.

    per_image: each picture is scored by itself and the mean taken, instead of one matrix for all pixels of the data set.
    averaging: the mean over the classes without the background ("foreground", class 0 is the background) or with it
    ("all"), the latter weighted by the classes' true pixels ("frequency"), or one score from the counts of all classes
    together ("micro"), in which every pixel counts alike.
    empty: what a class counts that the truth does not hold: it is left out if the prediction does not hold it either
    ("both", the rest scores 0), or left out whatever is predicted ("truth"); "one" and "zero" are what it counts if
    neither holds it; "smooth" adds s above and below the fraction line of every class.
    """

    per_image: bool = False
    averaging: Averaging = "foreground"
    empty: EmptyMask = "both"


def score_under(matrices: Matrices, score: ScoreName, convention: Convention, *, smooth: float = 1.0) -> float:
    """Dice or IoU, 0–1, of a data set under a convention; NaN where nothing can be scored. matrices (I, C, C)."""
    matrices = np.asarray(matrices)
    rows = matrices if convention.per_image else matrices.sum(axis=0, keepdims=True)
    if convention.averaging == "micro":
        return float(mean_of_known(_micro(rows, score)))
    scores = class_scores(rows, score, convention.empty, smooth=smooth)
    if convention.averaging == "frequency":
        return float(mean_of_known(_weighted(scores, rows.sum(axis=2))))
    over_pictures = mean_of_known(scores, axis=0)
    return float(mean_of_known(over_pictures[1:] if convention.averaging == "foreground" else over_pictures))


def class_scores(matrices: Matrices, score: ScoreName, empty: EmptyMask = "both", *, smooth: float = 1.0) -> Scores:
    """Scores (I, C) of each matrix and class; NaN for what its policy leaves out. See `Convention` for `empty`."""
    matrices = np.asarray(matrices)
    if empty == "smooth":
        return _smoothed(matrices, score, smooth)
    scores = scores_of_counts(class_counts(matrices))[score]
    if empty == "truth":
        return np.where(matrices.sum(axis=2) > 0, scores, np.nan)
    return scores if empty == "both" else np.where(np.isnan(scores), 1.0 if empty == "one" else 0.0, scores)


def _smoothed(matrices: Matrices, score: ScoreName, smooth: float) -> Scores:
    hits = np.diagonal(matrices, axis1=1, axis2=2).astype(np.float64)
    areas = matrices.sum(axis=1) + matrices.sum(axis=2)  # of prediction and truth
    above, below = (2 * hits, areas) if score == "dice" else (hits, areas - hits)
    return ratio(above + smooth, below + smooth)


def _micro(matrices: Matrices, score: ScoreName) -> Scores:
    """(I,): all classes' TP over all classes' counts; as Dice this is the pixel accuracy."""
    hits = np.trace(matrices, axis1=1, axis2=2)
    pixels = matrices.sum(axis=(1, 2))
    return ratio(hits, pixels if score == "dice" else 2 * pixels - hits)


def _weighted(scores: Scores, sizes: NDArray[np.int64]) -> Scores:
    """(I,): mean over the classes (I, C), each as often as it has pixels."""
    return ratio(np.where(sizes > 0, np.nan_to_num(scores) * sizes, 0).sum(axis=1), sizes.sum(axis=1))

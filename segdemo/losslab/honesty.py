"""Metric honesty: one prediction, scored under every convention there is.

Generated pictures with exact masks, among them an empty one, predictions on them, and their counts. How the counts become
scores is in `segdemo.metrics`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Literal, get_args

import cv2
import numpy as np
import skimage
from numpy.typing import NDArray

from segdemo.data.images import read_image
from segdemo.data.nuclei_like import Stain, draw_nuclei
from segdemo.data.shapes import draw_shapes
from segdemo.geometry import resize_nearest
from segdemo.metrics import (
    Averaging,
    Convention,
    EmptyMask,
    Reliability,
    ScoreName,
    confusion_matrix,
    place_of_best,
    reliability,
    score_under,
    threshold_counts,
    top_label,
)
from segdemo.text import N_
from segdemo.types import IGNORE_INDEX, LabelMap, Prediction, RGBImage

__all__ = [
    "THRESHOLDS", "Case", "Scene", "SceneKind", "Tally", "best_threshold", "every_convention", "matrix_of", "mean_dice_sweep",
    "scenes", "score_range", "tally", "without_outlines",
]  # fmt: skip

SceneKind = Literal["nuclei", "shapes"]
SIDE = 192  # pixels
THRESHOLDS = np.arange(1, 100) / 100
BINS = 15


@dataclass(frozen=True)
class Scene:
    """A generated picture (H, W, 3) and its exact mask (H, W)."""

    title: str  # N_
    image: RGBImage
    truth: LabelMap


@dataclass(frozen=True)
class Case:
    """A picture that is scored: what the network says, and what is true (H, W), 255 ignored.

    `key` stands for picture, network and mask, whatever the threshold.
    """

    key: str
    name: str
    image: RGBImage  # (h, w, 3), possibly smaller than the truth
    prediction: Prediction
    truth: LabelMap


@dataclass(frozen=True)
class Tally:
    """Counts of one picture and class that no threshold changes, at the size where the network saw the picture.

    sweep (T, 3): TP, FP, FN where the class's probability exceeds each of THRESHOLDS (T,). of_class: its probability against
    how often the pixel is of the class; of_label: the likeliest class's against how often it is the right one.
    """

    sweep: NDArray[np.int64]
    of_class: Reliability
    of_label: Reliability


@lru_cache(maxsize=2)
def scenes(kind: SceneKind) -> tuple[Scene, ...]:
    """A small data set: a crowd, a few, a lone object, a hard picture, one with nothing in it, and one of something else.

    The last, a photograph that comes with scikit-image, holds none of the classes, so its mask is as empty.
    """
    nothing = np.zeros((SIDE, SIDE), np.uint8)
    if kind == "shapes":
        drawn = [(N_("Crowd"), 0.5, 0.05), (N_("A few"), 0.2, 0.05), (N_("One"), 0.02, 0.05), (N_("Noisy"), 0.3, 0.2),
                 (N_("Empty"), 0.0, 0.05)]  # fmt: skip
        return *(
            Scene(title, *draw_shapes(SIDE, SIDE, seed=31 + i, foreground_share=share, noise=noise))
            for i, (title, share, noise) in enumerate(drawn)
        ), Scene(N_("A cat"), _photograph("chelsea.png"), nothing)
    micrographs: list[tuple[str, int, Stain, float]] = [
        (N_("Crowd"), 60, "fluorescence", 0.03), (N_("A few"), 8, "stained", 0.03), (N_("One"), 1, "fluorescence", 0.03),
        (N_("Noisy"), 30, "fluorescence", 0.25), (N_("Empty"), 0, "stained", 0.05),
    ]  # fmt: skip
    return *(
        Scene(title, *draw_nuclei(SIDE, SIDE, seed=31 + i, count=count, kind=stain, noise=noise))
        for i, (title, count, stain, noise) in enumerate(micrographs)
    ), Scene(N_("Coins, no nuclei"), _photograph("coins.png"), nothing)


def _photograph(name: str) -> RGBImage:
    """The upper left corner, SIDE × SIDE, of a picture in scikit-image's wheel."""
    return np.ascontiguousarray(read_image(Path(skimage.__file__).parent / "data" / name)[:SIDE, :SIDE])


def without_outlines(truth: LabelMap, width: int) -> LabelMap:
    """The mask (H, W) with all pixels ignored that lie within `width` pixels of another class; 0 changes nothing.

    Distances along rows, columns and diagonals: a square of 2·width + 1 pixels around each.
    """
    if width == 0:
        return truth
    square = np.ones((2 * width + 1, 2 * width + 1), np.uint8)
    border = cv2.erode(truth, square) != cv2.dilate(truth, square)
    return np.where(border, np.uint8(IGNORE_INDEX), truth)


def matrix_of(case: Case, width: int = 0) -> NDArray[np.int64]:
    """The picture's confusion matrix (C, C), with a band along the true outlines ignored."""
    truth = without_outlines(case.truth, width)
    return confusion_matrix(case.prediction.preds, truth, len(case.prediction.classes), IGNORE_INDEX)


def every_convention() -> list[Convention]:
    """All that give different scores: empty masks have several policies only where pictures are scored by themselves."""
    pooled = [Convention(False, averaging) for averaging in get_args(Averaging)]
    means: tuple[Averaging, ...] = ("foreground", "all")
    single = [Convention(True, averaging, empty) for averaging, empty in product(means, get_args(EmptyMask))]
    return [*pooled, *single, Convention(True, "micro"), Convention(True, "frequency")]


def score_range(matrices: Sequence[NDArray[np.int64]], score: ScoreName) -> tuple[float, float, int]:
    """Lowest and highest score under every convention, and how many there are. matrices: (I, C, C) of each way of ignoring."""
    found = np.array([score_under(counts, score, convention) for counts in matrices for convention in every_convention()])
    return float(np.nanmin(found)), float(np.nanmax(found)), int((~np.isnan(found)).sum())


def tally(case: Case, class_index: int = 1) -> Tally:
    """Everything about one class that probabilities say before a threshold cuts them."""
    scores = case.prediction.scores
    truth = resize_nearest(case.truth, (scores.shape[1], scores.shape[2]))
    valid = truth != IGNORE_INDEX
    scores, truth = scores[:, valid], truth[valid]  # (C, P), (P,)
    probs, hits = scores[class_index], truth == class_index
    return Tally(
        threshold_counts(probs, hits, THRESHOLDS), reliability(probs, hits, BINS), reliability(*top_label(scores, truth), BINS)
    )


def best_threshold(scores: NDArray[np.float64]) -> float:
    """The threshold with the highest score (T,); of equal ones the middle; 0.5 where none can be scored."""
    chosen = place_of_best(scores)
    return 0.5 if chosen is None else float(THRESHOLDS[chosen])


def mean_dice_sweep(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Dice (T,) as the mean over the pictures that hold the class; counts (I, T, 3)."""
    tp, fp, fn = np.moveaxis(counts[counts[:, 0, 0] + counts[:, 0, 2] > 0], -1, 0)
    return np.asarray((2 * tp / (2 * tp + fp + fn)).mean(axis=0)) if len(tp) else np.full(counts.shape[1], np.nan)

"""Several label maps of one picture in one label space: where they disagree, what most of them say, who is close to whom.

A label that is no class (255, say, where a model does not know the class that others see) is unknown: it is no vote.
"""

from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from segdemo.metrics.confusion import confusion_matrix, iou_per_class
from segdemo.metrics.counts import mean_of_known
from segdemo.types import IGNORE_INDEX, LabelMap

__all__ = ["Tie", "disagreement", "majority_vote", "pairwise_iou"]

LabelMaps = NDArray[np.uint8]  # (M, H, W)
Tie = Literal["lowest", "undecided"]


def disagreement(label_maps: LabelMaps, num_classes: int) -> NDArray[np.float32]:
    """Share of the pairs of maps that differ, 0–1, at each pixel (H, W), among those that know a class there.

    0 where all agree, or where fewer than two know; 1 where each says something else. It is the Gini impurity of the votes,
    made unbiased by M / (M − 1).
    """
    label_maps = np.asarray(label_maps)
    known = label_maps < num_classes
    everywhere = bool(known.all())
    differ, pairs = np.zeros(label_maps.shape[1:], np.float32), np.zeros(label_maps.shape[1:], np.float32)
    for a, b in combinations(range(len(label_maps)), 2):
        both = True if everywhere else known[a] & known[b]
        differ += (label_maps[a] != label_maps[b]) & both
        pairs += both
    return np.asarray(differ / np.maximum(pairs, 1), dtype=np.float32)


def majority_vote(label_maps: LabelMaps, num_classes: int, *, tie: Tie = "lowest") -> LabelMap:
    """The label that most maps give (H, W) uint8; 255 where none knows any.

    tie: of labels with equally many votes the "lowest" one, that is the background before all others, so that the vote is a
    label map like any other; or 255, "undecided", as is every pixel at which two maps alone differ.
    """
    label_maps = np.asarray(label_maps)
    votes = np.zeros(label_maps.shape[1:], np.uint8)
    winner = np.full(label_maps.shape[1:], IGNORE_INDEX, np.uint8)
    for index in np.flatnonzero(np.bincount(label_maps.ravel(), minlength=num_classes)[:num_classes]):
        given = (label_maps == index).sum(axis=0, dtype=np.uint8)
        if tie == "undecided":
            np.copyto(winner, IGNORE_INDEX, where=given == votes)
        np.copyto(winner, index, where=given > votes, casting="unsafe")
        np.maximum(votes, given, out=votes)
    return winner


def pairwise_iou(label_maps: LabelMaps, num_classes: int) -> NDArray[np.float64]:
    """Mean IoU (M, M) of each two maps over the foreground classes (not 0) that either of them holds, 0–1; symmetric.

    1 on the diagonal; NaN where neither holds any foreground. A pixel that one of the two does not know is left out.
    """
    label_maps = np.where(np.asarray(label_maps) < num_classes, label_maps, IGNORE_INDEX)
    scores = np.full((len(label_maps), len(label_maps)), np.nan)
    for a in range(len(label_maps)):
        for b in range(a, len(label_maps)):
            scores[a, b] = scores[b, a] = _foreground_iou(label_maps[a], label_maps[b], num_classes)
    return scores


def _foreground_iou(one: LabelMap, other: LabelMap, num_classes: int) -> float:
    known_to_both = np.where(one == IGNORE_INDEX, one, other)
    matrix = confusion_matrix(one, known_to_both, num_classes, IGNORE_INDEX)
    return float(mean_of_known(iou_per_class(matrix)[1:]))

"""Label maps compared by hand, by brute force, SciPy's mode and torchmetrics' Jaccard index."""

import numpy as np
import pytest
import torch
from scipy.stats import mode
from torchmetrics.functional.classification import multiclass_jaccard_index

from segdemo.metrics import disagreement, majority_vote, pairwise_iou


def maps(models: int, classes: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.integers(0, classes, (models, 13, 11)).astype(np.uint8)


def test_disagreement_by_hand() -> None:
    votes = np.array([[0, 0, 0, 0], [0, 0, 1, 1], [0, 0, 1, 2], [0, 1, 0, 3]], np.uint8)[:, None]
    np.testing.assert_allclose(disagreement(votes, 4), [[0, 3 / 6, 4 / 6, 1]], rtol=1e-6)
    assert disagreement(votes, 4).dtype == np.float32


@pytest.mark.parametrize("models", [1, 2, 3, 6])
def test_disagreement_is_the_unbiased_gini_impurity(models: int) -> None:
    label_maps = maps(models, 3)
    shares = np.stack([(label_maps == c).mean(axis=0) for c in range(3)])
    gini = (1 - (shares**2).sum(axis=0)) * models / max(models - 1, 1)
    np.testing.assert_allclose(disagreement(label_maps, 3), gini, atol=1e-6)


def test_who_does_not_know_does_not_disagree() -> None:
    votes = np.array([[0, 1, 1, 255], [1, 1, 255, 255], [255, 255, 255, 255]], np.uint8)[:, None]
    assert disagreement(votes, 2).tolist() == [[1, 0, 0, 0]]
    assert majority_vote(votes, 2).tolist() == [[0, 1, 1, 255]]
    assert majority_vote(votes, 2, tie="undecided").tolist() == [[255, 1, 1, 255]]


@pytest.mark.parametrize("models", [1, 3, 4, 6])
def test_majority_as_scipys_mode(models: int) -> None:
    label_maps = maps(models, 4, seed=models)
    vote = majority_vote(label_maps, 4)
    np.testing.assert_array_equal(vote, mode(label_maps, axis=0).mode)  # of equal ones the lowest
    assert vote.dtype == np.uint8


def test_a_tie_may_stay_undecided() -> None:
    votes = np.array([[2, 1, 0], [1, 1, 1], [2, 3, 2], [1, 2, 1]], np.uint8)[:, None]
    assert majority_vote(votes, 4).tolist() == [[1, 1, 1]]
    assert majority_vote(votes, 4, tie="undecided").tolist() == [[255, 1, 1]]
    later = np.array([[0], [1], [2], [2]], np.uint8)[:, None]
    assert majority_vote(later, 3, tie="undecided").tolist() == [[2]]  # a tie of losers is none


def test_pairwise_iou_by_hand() -> None:
    a = np.array([[1, 1, 0, 0]], np.uint8)
    b = np.array([[1, 0, 0, 2]], np.uint8)
    c = np.zeros((1, 4), np.uint8)
    iou = pairwise_iou(np.stack([a, b, c]), 4)
    np.testing.assert_allclose(iou, [[1, (1 / 2 + 0) / 2, 0], [1 / 4, 1, 0], [0, 0, np.nan]])


def test_pairwise_iou_as_torchmetrics() -> None:
    label_maps = maps(4, 3, seed=5)
    label_maps[0][label_maps[0] == 2] = 1
    iou = pairwise_iou(label_maps, 3)
    for a in range(4):
        for b in range(4):
            each = multiclass_jaccard_index(torch.tensor(label_maps[a]), torch.tensor(label_maps[b]), 3, average=None)
            present = [c for c in (1, 2) if (label_maps[[a, b]] == c).any()]
            assert iou[a, b] == pytest.approx(float(each[present].mean()), abs=1e-6)
    np.testing.assert_array_equal(iou, iou.T)


def test_pixels_that_one_of_two_does_not_know_are_left_out() -> None:
    a = np.array([[1, 1, 255, 0]], np.uint8)
    b = np.array([[1, 255, 1, 0]], np.uint8)
    np.testing.assert_array_equal(pairwise_iou(np.stack([a, b]), 2), np.ones((2, 2)))
    assert np.isnan(pairwise_iou(np.stack([a, np.full_like(a, 255)]), 2)[0, 1])

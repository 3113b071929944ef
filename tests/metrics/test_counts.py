"""TP, FP, FN and their ratios: by hand and as torchmetrics counts them."""

import numpy as np
import pytest
import torch
from torchmetrics.functional.classification import multiclass_stat_scores

from segdemo.metrics import (
    class_counts,
    confusion_matrix,
    dice_per_class,
    iou_per_class,
    mean_of_known,
    precision,
    ratio,
    recall,
    scores_of_counts,
)

MATRIX = np.array([[2, 2, 0], [0, 3, 0], [1, 0, 0]])  # rows = truth


def test_counts_by_hand() -> None:
    counts = class_counts(MATRIX)
    assert counts.tolist() == [[2, 1, 2], [3, 2, 0], [0, 0, 1]]
    assert counts.dtype == np.int64
    assert class_counts(np.stack([MATRIX, MATRIX.T]))[1].tolist() == [[2, 2, 1], [3, 0, 2], [0, 1, 0]]


def test_counts_as_torchmetrics() -> None:
    rng = np.random.default_rng(0)
    preds, target = rng.integers(0, 5, 900), rng.integers(0, 4, 900)  # class 4 is never true
    theirs = multiclass_stat_scores(torch.tensor(preds), torch.tensor(target), 5, average=None)[:, [0, 1, 3]]
    np.testing.assert_array_equal(class_counts(confusion_matrix(preds, target, 5)), theirs.numpy())


def test_scores_by_hand_and_undefined_ones() -> None:
    scores = scores_of_counts(np.array([[3, 2, 1], [0, 0, 4], [0, 4, 0], [0, 0, 0]]))
    np.testing.assert_allclose(scores["iou"], [3 / 6, 0, 0, np.nan])
    np.testing.assert_allclose(scores["dice"], [6 / 9, 0, 0, np.nan])
    np.testing.assert_allclose(scores["precision"], [3 / 5, np.nan, 0, np.nan])
    np.testing.assert_allclose(scores["recall"], [3 / 4, 0, np.nan, np.nan])


def test_one_ratio_for_matrices_and_counts() -> None:
    scores = scores_of_counts(class_counts(MATRIX))
    for name, function in (("iou", iou_per_class), ("dice", dice_per_class), ("precision", precision), ("recall", recall)):
        np.testing.assert_array_equal(scores[name], function(MATRIX))


def test_leading_axes() -> None:
    counts = np.arange(24).reshape(2, 4, 3)
    assert scores_of_counts(counts)["iou"].shape == (2, 4)
    assert scores_of_counts(counts)["iou"][1, 2] == pytest.approx(18 / (18 + 19 + 20))


def test_a_ratio_of_nothing_and_a_mean_of_nothing_are_nan() -> None:
    np.testing.assert_array_equal(ratio(np.array([1, 0]), np.array([2, 0])), [0.5, np.nan])
    values = np.array([[1.0, np.nan, 3.0], [np.nan] * 3])
    np.testing.assert_array_equal(mean_of_known(values), [2, np.nan])
    np.testing.assert_array_equal(mean_of_known(values, axis=0), [1, np.nan, 3])
    assert np.isnan(mean_of_known(np.zeros(0)))

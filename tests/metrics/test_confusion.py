"""segdemo.metrics: a matrix counted by hand, torchmetrics as a second opinion, and classes that are not there."""

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torchmetrics.classification import MulticlassAccuracy, MulticlassConfusionMatrix, MulticlassJaccardIndex
from torchmetrics.functional.classification import multiclass_f1_score, multiclass_precision, multiclass_recall

from segdemo.errors import SettingError
from segdemo.metrics import confusion_matrix, dice_per_class, iou_per_class, mean_iou, pixel_accuracy, precision, recall

# Four pixels of class 0, two of which are called 1; three of class 1, all found; one of class 2, called 0.
TARGET = np.array([0, 0, 0, 0, 1, 1, 1, 2])
PREDS = np.array([0, 0, 1, 1, 1, 1, 1, 0])
MATRIX = np.array([[2, 2, 0], [0, 3, 0], [1, 0, 0]])


def random_labels(classes: int, size: int = 2000) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    rng = np.random.default_rng(classes)
    target = rng.integers(0, classes, size)
    return np.where(rng.random(size) < 0.6, target, rng.integers(0, classes, size)), target


def test_rows_are_the_truth() -> None:
    matrix = confusion_matrix(PREDS, TARGET, 3)
    np.testing.assert_array_equal(matrix, MATRIX)
    assert matrix.dtype == np.int64


def test_scores_by_hand() -> None:
    np.testing.assert_allclose(iou_per_class(MATRIX), [2 / 5, 3 / 5, 0])
    np.testing.assert_allclose(dice_per_class(MATRIX), [4 / 7, 6 / 8, 0])
    np.testing.assert_allclose(precision(MATRIX), [2 / 3, 3 / 5, np.nan])
    np.testing.assert_allclose(recall(MATRIX), [2 / 4, 1, 0])
    assert pixel_accuracy(MATRIX) == pytest.approx(5 / 8)
    assert mean_iou(MATRIX) == pytest.approx(1 / 3)


@pytest.mark.parametrize("classes", [2, 5, 21])
def test_agrees_with_torchmetrics(classes: int) -> None:
    preds, target = random_labels(classes)
    target[:100] = 255
    p, t = torch.from_numpy(preds), torch.from_numpy(target)
    matrix = confusion_matrix(preds, target, classes)
    np.testing.assert_array_equal(matrix, MulticlassConfusionMatrix(classes, ignore_index=255)(p, t))
    np.testing.assert_allclose(
        iou_per_class(matrix), MulticlassJaccardIndex(classes, average=None, ignore_index=255)(p, t), rtol=1e-5
    )
    for ours, theirs in ((dice_per_class, multiclass_f1_score), (precision, multiclass_precision), (recall, multiclass_recall)):
        np.testing.assert_allclose(ours(matrix), theirs(p, t, classes, average=None, ignore_index=255), rtol=1e-5)
    assert pixel_accuracy(matrix) == pytest.approx(
        MulticlassAccuracy(classes, average="micro", ignore_index=255)(p, t).item(), rel=1e-5
    )


def test_a_class_that_is_nowhere_is_nan_and_skipped() -> None:
    matrix = confusion_matrix(np.array([0, 0, 2]), np.array([0, 0, 2]), 4)
    np.testing.assert_array_equal(iou_per_class(matrix), [1, np.nan, 1, np.nan])
    np.testing.assert_array_equal(dice_per_class(matrix), [1, np.nan, 1, np.nan])
    assert mean_iou(matrix) == 1


def test_nothing_to_score_is_nan_without_a_warning() -> None:
    matrix = confusion_matrix(np.array([1, 7]), np.array([255, 255]), 2)
    assert not matrix.any()
    assert math.isnan(mean_iou(matrix)) and math.isnan(pixel_accuracy(matrix))
    assert np.isnan(iou_per_class(matrix)).all()


def test_ignored_pixels_may_have_any_prediction() -> None:
    matrix = confusion_matrix(np.array([0, 200, 1]), np.array([0, 9, 1]), 2, ignore_index=9)
    np.testing.assert_array_equal(matrix, np.eye(2))


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int32, np.int64, np.uint64])
def test_any_integers_and_shapes(dtype: type[np.integer]) -> None:
    preds, target = PREDS.reshape(2, 4).astype(dtype), TARGET.reshape(2, 4).astype(dtype)
    np.testing.assert_array_equal(confusion_matrix(preds, target, 3), MATRIX)


def test_many_classes_in_eight_bits_do_not_wrap_round() -> None:
    labels = np.arange(200, dtype=np.uint8)
    np.testing.assert_array_equal(confusion_matrix(labels, labels, 200), np.eye(200))


def test_tensors_and_booleans_are_taken() -> None:
    preds, target = torch.from_numpy(PREDS), torch.from_numpy(TARGET)
    np.testing.assert_array_equal(confusion_matrix(preds, target, 3), MATRIX)  # type: ignore[arg-type]
    np.testing.assert_array_equal(confusion_matrix(PREDS > 0, TARGET > 0, 2), [[2, 2], [1, 3]])


def test_matrices_add_up_to_the_data_sets() -> None:
    preds, target = random_labels(4)
    halves = confusion_matrix(preds[:700], target[:700], 4) + confusion_matrix(preds[700:], target[700:], 4)
    np.testing.assert_array_equal(halves, confusion_matrix(preds, target, 4))


@pytest.mark.parametrize(
    ("preds", "target"),
    [
        ([0, 1], [0, 1, 1]),
        ([0, 3], [0, 1]),
        ([0, 1], [0, 3]),
        ([0, -1], [0, 1]),
        ([0, 1], [0, -1]),
        ([0.2, 0.9], [0, 1]),
        ([0, 1], [0.0, 1.0]),
    ],
)
def test_what_cannot_be_counted_is_a_sentence(preds: list[float], target: list[float]) -> None:
    with pytest.raises(SettingError):
        confusion_matrix(np.array(preds), np.array(target), 3)

"""The precision-recall curve, its area and the best threshold: by hand, torchmetrics and brute force."""

import numpy as np
import pytest
import torch
from torchmetrics.functional.classification import binary_average_precision, binary_precision_recall_curve

from segdemo.metrics import average_precision, best_threshold, curve, threshold_counts

THRESHOLDS = np.arange(1, 100) / 100


def pixels(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.random(6000) < 0.2 + 0.1 * seed
    return np.clip(rng.normal(0.3 + 0.3 * truth, 0.15), 0, 1).astype(np.float32), truth


def test_curve_and_area_by_hand() -> None:
    counts = np.array([[4, 4, 0], [3, 1, 1], [1, 0, 3], [0, 0, 4]])
    precision, recall = curve(counts)
    np.testing.assert_allclose(precision, [1 / 2, 3 / 4, 1, np.nan])
    np.testing.assert_allclose(recall, [1, 3 / 4, 1 / 4, 0])
    assert average_precision(counts) == pytest.approx(1 / 4 * 1 / 2 + 1 / 2 * 3 / 4 + 1 / 4 * 1)


@pytest.mark.parametrize("seed", range(4))
def test_as_torchmetrics(seed: int) -> None:
    probs, truth = pixels(seed)
    counts = threshold_counts(probs, truth, THRESHOLDS)
    above = torch.tensor(np.nextafter(THRESHOLDS.astype(np.float32), np.float32(2)))  # torchmetrics takes ≥, we take >
    theirs = torch.tensor(probs), torch.tensor(truth).long()
    precision, recall, _ = binary_precision_recall_curve(*theirs, thresholds=above)
    ours = curve(counts)
    np.testing.assert_allclose(np.nan_to_num(ours[0]), precision[:-1], atol=1e-6)
    np.testing.assert_allclose(ours[1], recall[:-1], atol=1e-6)
    assert average_precision(counts) == pytest.approx(float(binary_average_precision(*theirs, thresholds=above)), abs=1e-6)


def test_fine_thresholds_come_near_the_exact_area() -> None:
    probs, truth = pixels(1)
    counts = threshold_counts(probs, truth, np.arange(2000) / 2000 - 1e-9)
    exact = float(binary_average_precision(torch.tensor(probs), torch.tensor(truth).long()))
    assert average_precision(counts) == pytest.approx(exact, abs=2e-3)


def test_no_truth_no_area_and_no_prediction_no_precision() -> None:
    nothing_true = threshold_counts(np.full(5000, 0.7), np.zeros(5000, bool), THRESHOLDS)
    assert np.isnan(average_precision(nothing_true)) and np.isnan(curve(nothing_true)[1]).all()
    nothing_found = threshold_counts(np.zeros(5000), np.ones(5000, bool), THRESHOLDS)
    assert np.isnan(curve(nothing_found)[0]).all()
    assert average_precision(nothing_found) == 0


@pytest.mark.parametrize("score", ["iou", "dice"])
def test_best_threshold_as_brute_force(score: str) -> None:
    probs, truth = pixels(2)
    areas = [((p := probs > np.float32(t)) & truth).sum() / (p | truth).sum() for t in THRESHOLDS]
    values = np.array(areas) if score == "iou" else 2 * np.array(areas) / (1 + np.array(areas))
    found, best = best_threshold(threshold_counts(probs, truth, THRESHOLDS), THRESHOLDS, score)  # type: ignore[arg-type]
    assert best == pytest.approx(values.max())
    assert found == THRESHOLDS[values.argmax()]


def test_of_equal_thresholds_the_middle_and_of_none_a_half() -> None:
    probs, truth = np.array([0.2, 0.2, 0.8]), np.array([False, False, True])
    assert best_threshold(threshold_counts(probs, truth, THRESHOLDS), THRESHOLDS) == (0.5, 1.0)
    threshold, score = best_threshold(np.zeros((3, 3), int), np.array([0.1, 0.2, 0.3]))
    assert threshold == 0.5 and np.isnan(score)

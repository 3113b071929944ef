"""Calibration against hand counts and against torchmetrics."""

import numpy as np
import pytest
import torch
from torchmetrics.functional.classification import binary_calibration_error, multiclass_calibration_error

from segdemo.errors import SettingError
from segdemo.metrics import expected_calibration_error, reliability, top_label


def test_bins_by_hand() -> None:
    probs = np.array([0.05, 0.1, 0.19, 0.61, 0.65, 1.0])
    hits = np.array([False, False, True, True, False, True])
    bins = reliability(probs, hits, 5)
    assert bins.count.tolist() == [3, 0, 0, 2, 1]
    assert bins.hits.tolist() == [1, 0, 0, 1, 1]
    assert bins.mean_prob[0] == pytest.approx(0.34 / 3)
    assert np.isnan(bins.frequency[1])
    by_hand = (abs(1 - 0.34) + abs(1 - 1.26) + 0) / 6
    assert expected_calibration_error(bins) == pytest.approx(by_hand)


@pytest.mark.parametrize("bins", [1, 10, 15])
def test_one_class_as_torchmetrics(bins: int) -> None:
    rng = np.random.default_rng(bins)
    probs, hits = rng.random(5000), rng.random(5000) < 0.3
    ours = expected_calibration_error(reliability(probs, hits, bins))
    theirs = binary_calibration_error(torch.tensor(probs), torch.tensor(hits).long(), n_bins=bins, norm="l1")
    assert ours == pytest.approx(float(theirs), abs=1e-6)


def test_the_label_as_torchmetrics() -> None:
    generator = torch.Generator().manual_seed(0)
    probs = (3 * torch.randn(4, 3000, generator=generator)).softmax(dim=0)
    target = torch.randint(0, 4, (3000,), generator=generator)
    ours = expected_calibration_error(reliability(*top_label(probs.numpy(), target.numpy()), 15))
    theirs = multiclass_calibration_error(probs.T, target, num_classes=4, n_bins=15, norm="l1")
    assert ours == pytest.approx(float(theirs), abs=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_probability_on_an_edge_belongs_to_the_upper_bin(dtype: type[np.floating]) -> None:
    """Edges are compared as 64-bit numbers, whatever the probabilities are."""
    edges = np.linspace(0, 1, 16)[1:-1]
    marks = edges.astype(dtype)
    probs = np.tile(np.concatenate([marks, np.nextafter(marks, dtype(0)), np.nextafter(marks, dtype(1))]), 120)
    expected = np.bincount(np.searchsorted(edges, probs.astype(np.float64), side="right"), minlength=15)
    np.testing.assert_array_equal(reliability(probs, probs > 2).count, expected)


def test_of_equally_likely_labels_the_first() -> None:
    scores = np.random.default_rng(3).integers(0, 3, (5, 40, 30)).astype(np.float32)
    target = np.random.default_rng(4).integers(0, 5, (40, 30))
    probs, hits = top_label(scores, target)
    np.testing.assert_array_equal(probs, scores.max(axis=0))
    np.testing.assert_array_equal(hits, scores.argmax(axis=0) == target)


def test_bins_of_pictures_add_up_to_those_of_all_pixels() -> None:
    rng = np.random.default_rng(1)
    probs, hits = rng.random(400), rng.random(400) < 0.5
    together, apart = reliability(probs, hits), reliability(probs[:150], hits[:150]) + reliability(probs[150:], hits[150:])
    np.testing.assert_array_equal(together.count, apart.count)
    np.testing.assert_array_equal(together.hits, apart.hits)
    np.testing.assert_allclose(together.prob_sum, apart.prob_sum)


def test_nothing_to_calibrate_and_no_bins() -> None:
    assert np.isnan(expected_calibration_error(reliability(np.zeros(0), np.zeros(0, bool))))
    with pytest.raises(SettingError, match="at least one bin"):
        reliability(np.zeros(3), np.zeros(3, bool), 0)

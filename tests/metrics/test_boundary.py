"""Boundary F1 against hand counts and against MONAI's surface distance."""

import numpy as np
import pytest
import torch
from monai.metrics.surface_dice import SurfaceDiceMetric

from segdemo.metrics import boundary_counts, boundary_f1


def square(top: int, left: int, side: int = 10, size: int = 40) -> np.ndarray:
    label = np.zeros((size, size), np.uint8)
    label[top : top + side, left : left + side] = 1
    return label


def test_counts_by_hand() -> None:
    counts = boundary_counts(square(10, 10), square(10, 10), 2)
    assert counts[1].tolist() == [36, 36, 36, 36]  # the outline of a 10×10 square
    assert counts[0].tolist() == [40, 40, 40, 40]  # the background's pixels beside it


@pytest.mark.parametrize(("shift", "score"), [(0, 1.0), (2, 1.0)])
def test_within_the_tolerance_is_right(shift: int, score: float) -> None:
    assert boundary_f1(boundary_counts(square(10, 10 + shift), square(10, 10), 2))[1] == score


def test_beyond_the_tolerance_is_wrong() -> None:
    assert boundary_f1(boundary_counts(square(0, 0), square(25, 25), 2))[1] == 0
    shifted = boundary_counts(square(10, 13), square(10, 10), 2)[1]
    # By 3: nine of ten pixels of the two horizontal sides, and of the inner vertical side the two next to each of them.
    assert shifted[0] == shifted[2] == 2 * 9 + 2 * 2


def test_tolerance_is_a_straight_distance() -> None:
    """A diagonal shift of (1, 1) is √2 pixels."""
    a, b = np.zeros((9, 9), np.uint8), np.zeros((9, 9), np.uint8)
    a[4, 4] = b[5, 5] = 1
    assert boundary_f1(boundary_counts(a, b, 2, tolerance=1.0))[1] == 0
    assert boundary_f1(boundary_counts(a, b, 2, tolerance=1.5))[1] == 1


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_agrees_with_monais_surface_dice() -> None:
    """The normalised surface Dice pools both outlines where F1 takes their harmonic mean: equal for outlines of one length."""
    preds, target = square(11, 12), square(10, 10)
    metric = SurfaceDiceMetric(class_thresholds=[2.0], include_background=False)
    onehot = [torch.nn.functional.one_hot(torch.from_numpy(m).long(), 2).movedim(-1, 0)[None] for m in (preds, target)]
    assert boundary_f1(boundary_counts(preds, target, 2))[1] == pytest.approx(float(metric(*onehot)), abs=0.02)


@pytest.mark.parametrize("tolerance", [0.0, 1.0, 2**0.5, 2.9, 5.0, 12.0, 12.1, 20.0])
def test_small_and_large_tolerances_as_brute_force(tolerance: float) -> None:
    """A disc up to 12 pixels, a distance transform beyond."""
    rng = np.random.default_rng(0)
    preds, target = (rng.random((48, 40)) < 0.01 for _ in range(2))
    a, b = (np.argwhere(mask) for mask in (preds, target))  # lone pixels are their own boundary
    near = np.hypot(*np.moveaxis(a[:, None] - b, -1, 0)) <= tolerance
    counts = boundary_counts(preds.astype(np.uint8), target.astype(np.uint8), 2, tolerance=tolerance)
    assert counts[1].tolist() == [near.any(axis=1).sum(), len(a), near.any(axis=0).sum(), len(b)]


def test_the_pictures_edge_is_no_boundary_and_ignored_pixels_count_nowhere() -> None:
    full = np.ones((8, 8), np.uint8)
    assert boundary_counts(full, full, 2).sum() == 0
    assert np.isnan(boundary_f1(boundary_counts(full, full, 2))).all()
    target = square(10, 10)
    preds = square(10, 10) | square(25, 25)
    ignored = target.copy()
    ignored[20:] = 255
    assert boundary_f1(boundary_counts(preds, target, 2))[1] < 1
    assert boundary_f1(boundary_counts(preds, ignored, 2))[1] == 1

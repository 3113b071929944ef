"""Boundary F1 against hand counts and against MONAI's surface distance."""

from collections.abc import Callable, Iterator

import cv2
import numpy as np
import pytest
import torch
from monai.metrics.surface_dice import compute_surface_dice

from segdemo.errors import SettingError
from segdemo.metrics import boundary_counts, boundary_f1, hausdorff95


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


def blobs(seed: int, classes: int = 4) -> np.ndarray:
    """A label map (40, 56) of smooth random regions, away from the picture's edge."""
    noise = cv2.GaussianBlur(
        np.random.default_rng(seed).random((classes, 32, 48)).astype(np.float32).transpose(1, 2, 0), (0, 0), 3
    )
    return np.pad(noise.argmax(-1).astype(np.uint8), 4)


def pairs() -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Random maps, an empty one, one without a class, and shifts to one side."""
    for seed in range(4):
        yield blobs(seed), blobs(seed + 10)
    first, second = blobs(20), blobs(21)
    yield np.where(first == 2, 0, first), second  # a class that only the truth holds
    yield first, np.where(second == 2, 0, second)
    yield np.zeros_like(first), first
    yield np.zeros_like(first), np.zeros_like(first)
    yield np.roll(first, (1, 3), axis=(0, 1)), first
    yield square(3, 3, side=20), square(3, 3, side=5)


@pytest.mark.filterwarnings("ignore:.*:FutureWarning")
@pytest.mark.filterwarnings("ignore:the ground truth of class:UserWarning")
@pytest.mark.filterwarnings("ignore:the prediction of class:UserWarning")
@pytest.mark.parametrize("tolerance", [0.0, 1.0, 2.0, 3.5])
def test_the_sums_are_monais_surface_dice(tolerance: float) -> None:
    """Both outlines pooled, which is what the normalised surface Dice says, on everything random, empty, absent, asymmetric.

    MONAI takes the picture's edge for an outline; a margin of background keeps that out of it.
    """
    for preds, target in pairs():
        onehot = [torch.nn.functional.one_hot(torch.from_numpy(m).long(), 4).movedim(-1, 0)[None] for m in (preds, target)]
        expected = compute_surface_dice(*onehot, class_thresholds=[tolerance] * 3, include_background=False)[0].numpy()
        counts = boundary_counts(preds, target, 4, tolerance=tolerance)[1:]
        pooled = np.divide(counts[:, 0] + counts[:, 2], counts[:, 1] + counts[:, 3], where=counts[:, 1] + counts[:, 3] > 0,
                           out=np.full(3, np.nan))  # fmt: skip
        np.testing.assert_allclose(pooled, expected, rtol=1e-6)


@pytest.mark.parametrize("tolerance", [-1.0, float("nan"), float("inf")])
def test_a_tolerance_that_is_no_distance_is_refused(tolerance: float) -> None:
    with pytest.raises(SettingError, match="distance in pixels"):
        boundary_counts(square(3, 3), square(3, 3), 2, tolerance=tolerance)


@pytest.mark.parametrize("score", [boundary_counts, hausdorff95])
@pytest.mark.parametrize("shape", [(40, 39), (1, 40), (40,), (1, 40, 40)])
def test_maps_of_different_shapes_are_refused(score: Callable[..., object], shape: tuple[int, ...]) -> None:
    with pytest.raises(SettingError, match="one shape"):
        score(square(3, 3), np.zeros(shape, np.uint8), 2)


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

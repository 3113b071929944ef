"""Hausdorff 95 by hand and as MONAI measures it."""

import cv2
import numpy as np
import pytest
import torch
from monai.metrics.hausdorff_distance import compute_hausdorff_distance
from scipy.ndimage import binary_erosion
from scipy.spatial.distance import cdist

from segdemo.data.nuclei_like import draw_nuclei
from segdemo.metrics import hausdorff95

pytestmark = pytest.mark.filterwarnings("ignore:.*always_return_as_numpy:FutureWarning")  # MONAI about its own call


def square(top: int, left: int, side: int = 10, size: int = 40) -> np.ndarray:
    label = np.zeros((size, size), np.uint8)
    label[top : top + side, left : left + side] = 1
    return label


def monai(preds: np.ndarray, target: np.ndarray, classes: int) -> np.ndarray:
    onehot = [torch.nn.functional.one_hot(torch.from_numpy(m).long(), classes).movedim(-1, 0)[None] for m in (preds, target)]
    distances = compute_hausdorff_distance(*onehot, include_background=True, percentile=95)
    return distances[0].numpy()


def test_a_perfect_prediction_is_zero_away() -> None:
    np.testing.assert_array_equal(hausdorff95(square(9, 9), square(9, 9), 2), [0, 0])


def test_a_shift_by_hand() -> None:
    """Of 36 boundary pixels, the ten of the far side are 4 away, more than a twentieth."""
    assert hausdorff95(square(10, 14), square(10, 10), 2)[1] == 4
    a, b = np.zeros((9, 9), np.uint8), np.zeros((9, 9), np.uint8)
    a[1, 1] = b[4, 5] = 1
    assert hausdorff95(a, b, 2)[1] == 5


def test_one_stray_pixel_does_not_move_it_but_the_greater_side_counts() -> None:
    stray = square(10, 10)
    stray[39, 39] = 1
    assert hausdorff95(stray, square(10, 10), 2)[1] == 0
    more = square(10, 10) | square(26, 10)  # half of its outline is 7 and more away; none of the true one is
    assert hausdorff95(more, square(10, 10), 2)[1] == hausdorff95(square(10, 10), more, 2)[1] > 7


@pytest.mark.parametrize("seed", range(4))
def test_as_monai_on_nuclei(seed: int) -> None:
    target = draw_nuclei(96, 80, seed=seed)[1]
    preds = np.roll(draw_nuclei(96, 80, seed=seed, count=30 + 10 * seed)[1], (seed, 2 * seed), axis=(0, 1))
    np.testing.assert_allclose(hausdorff95(preds, target, 2), monai(preds, target, 2), rtol=1e-5)  # 32 bits


@pytest.mark.parametrize("share", [0.02, 0.5])
def test_as_monai_on_noise_of_several_classes(share: float) -> None:
    """Few far points and many near ones take two different ways."""
    rng = np.random.default_rng(7)
    preds, target = (np.where(rng.random((64, 48)) < s, rng.integers(1, 4, (64, 48)), 0) for s in (share, 0.01))
    np.testing.assert_allclose(hausdorff95(preds, target, 4), monai(preds, target, 4), rtol=1e-5)  # 32 bits


@pytest.mark.parametrize("grain", [0.7, 1.5, 4.0])
@pytest.mark.parametrize("seed", range(6))
def test_as_all_distances_at_once(seed: int, grain: float) -> None:
    """Blobs shifted by little and by much, so that the percentile lies on, between and beyond the shortest distances."""
    rng = np.random.default_rng(seed)
    field = cv2.GaussianBlur(rng.normal(size=(50, 60)), (0, 0), grain)
    target, preds = field > 0.5 * field.std(), np.roll(field, seed, axis=seed % 2) > 0.6 * field.std()
    a, b = (np.argwhere(mask & ~binary_erosion(mask)) for mask in (preds, target))
    pairs = cdist(a, b)
    expected = max(np.percentile(pairs.min(axis=axis), 95) for axis in (0, 1))
    assert hausdorff95(preds.astype(np.uint8), target.astype(np.uint8), 2)[1] == pytest.approx(expected, rel=1e-6)


def test_the_pictures_edge_is_a_boundary_as_for_monai() -> None:
    whole = np.ones((20, 20), np.uint8)
    half = whole.copy()
    whole[0, 0] = half[0, 0] = half[:, 10:] = 0
    assert hausdorff95(half, whole, 2)[1] == monai(half, whole, 2)[1] == 10


def test_what_is_missing_on_one_side_is_undefined() -> None:
    empty = np.zeros((40, 40), np.uint8)
    for preds, target in ((empty, square(3, 3)), (square(3, 3), empty), (empty, empty)):
        distances = hausdorff95(preds, target, 3)
        assert np.isnan(distances[1:]).all() and not np.isnan(distances[0])


def test_ignored_pixels_belong_to_neither() -> None:
    target, preds = square(10, 10), square(10, 10) | square(25, 25)
    target[24:] = 255
    assert hausdorff95(preds, target, 2)[1] == 0
    assert np.isnan(hausdorff95(preds, np.full_like(target, 255), 2)).all()

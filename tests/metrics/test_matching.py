"""Objects matched by hand and by SciPy's assignment over scikit-image's regions; halves, crumbs and ignored pixels."""

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from skimage.measure import label

from segdemo.data.nuclei_like import draw_nuclei
from segdemo.errors import SettingError
from segdemo.metrics import (
    CHALLENGE_THRESHOLDS,
    ObjectCounts,
    challenge_precision,
    challenge_precisions,
    instance_counts,
    object_counts,
)


def boxes(*places: tuple[int, int, int, int], size: int = 40) -> np.ndarray:
    """A label map with filled boxes (top, left, height, width) of class 1."""
    labels = np.zeros((size, size), np.uint8)
    for top, left, height, width in places:
        labels[top : top + height, left : left + width] = 1
    return labels


def summary(counts: ObjectCounts) -> tuple[int, int, int, int, int]:
    return counts.matched, counts.missed, counts.false, counts.split, counts.merged


def assigned(preds: np.ndarray, target: np.ndarray) -> np.ndarray:
    """TP, FP, FN (T, 3) by the best assignment at each threshold."""
    found, true = label(preds == 1, connectivity=2), label(target == 1, connectivity=2)
    a, b = ([m == i for i in range(1, m.max() + 1) if (m == i).sum() >= 4] for m in (true, found))
    iou = np.array([[(x & y).sum() / (x | y).sum() for y in b] for x in a]).reshape(len(a), len(b))
    rows = []
    for threshold in CHALLENGE_THRESHOLDS:
        hits = iou >= threshold
        tp = int(hits[linear_sum_assignment(-hits.astype(int))].sum())
        rows.append((tp, len(b) - tp, len(a) - tp))
    return np.array(rows)


def test_thresholds_of_the_challenge() -> None:
    assert CHALLENGE_THRESHOLDS.tolist() == [0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95]


def test_found_missed_and_invented_by_hand() -> None:
    target = boxes((2, 2, 10, 10), (20, 2, 8, 8))
    preds = boxes((2, 2, 10, 8), (20, 20, 6, 6))
    counts = object_counts(preds, target, 1)
    assert summary(counts) == (1, 1, 1, 0, 0)
    assert counts.at_thresholds.tolist() == [[1, 1, 1]] * 7 + [[0, 2, 2]] * 3  # 0.8 reaches 0.8
    assert challenge_precision(counts.at_thresholds) == pytest.approx(0.7 / 3)


def test_split_and_merged_by_hand() -> None:
    two, one = boxes((5, 5, 10, 9), (5, 16, 10, 9)), boxes((5, 5, 10, 20))
    assert summary(object_counts(two, one, 1)) == (0, 1, 2, 1, 0)
    assert summary(object_counts(one, two, 1)) == (0, 2, 1, 0, 1)
    uneven = boxes((5, 5, 10, 15), (5, 21, 10, 4))  # the large part matches, the object is split all the same
    assert summary(object_counts(uneven, one, 1)) == (1, 0, 1, 1, 0)


def test_two_that_only_touch_an_object_do_not_split_it() -> None:
    target = boxes((10, 10, 10, 10))
    preds = boxes((10, 4, 10, 11), (10, 16, 10, 12))  # 5 of 11 and 4 of 12 columns are inside
    assert summary(object_counts(preds, target, 1)) == (0, 1, 2, 0, 0)


def test_of_exact_halves_one_matches() -> None:
    halves = np.zeros((8, 8), np.int32)
    halves[:4], halves[4:] = 1, 2
    whole = np.ones((8, 8), np.int32)
    assert summary(instance_counts(halves, whole)) == (1, 0, 1, 1, 0)
    assert summary(instance_counts(whole, halves)) == (1, 1, 0, 0, 1)


@pytest.mark.parametrize("seed", range(5))
def test_as_an_assignment(seed: int) -> None:
    rng = np.random.default_rng(seed)
    target = draw_nuclei(72, 64, seed=seed, count=60)[1]
    preds = np.roll(target, (seed % 3, seed), axis=(0, 1)) ^ (rng.random(target.shape) < 0.04 * seed)
    counts = object_counts(preds, target, 1)
    by_assignment = assigned(preds, target)
    np.testing.assert_array_equal(counts.at_thresholds, by_assignment)
    assert (counts.matched, counts.false, counts.missed) == tuple(by_assignment[0])


def test_crumbs_upon_crumbs_are_counted_as_by_assignment() -> None:
    """So many labels that a table of all pairs would be larger than the picture."""
    grid = np.zeros((60, 60), np.int32)
    grid[::2, ::2] = np.arange(1, 901).reshape(30, 30)
    counts = instance_counts(grid, np.roll(grid, (0, 2), axis=(0, 1)), min_pixels=1)
    assert summary(counts) == (900, 0, 0, 0, 0)  # every pixel meets its neighbour's, one to one
    assert challenge_precision(counts.at_thresholds) == 1


def test_nothing_in_one_or_both() -> None:
    empty, one = boxes(), boxes((3, 3, 5, 5))
    assert summary(object_counts(empty, one, 1)) == (0, 1, 0, 0, 0)
    assert summary(object_counts(one, empty, 1)) == (0, 0, 1, 0, 0)
    both = object_counts(empty, empty, 1)
    assert summary(both) == (0, 0, 0, 0, 0)
    assert np.isnan(challenge_precision(both.at_thresholds))
    assert np.isnan(challenge_precision(np.zeros((10, 3), int)))


def test_small_regions_are_noise_and_other_classes_are_not_looked_at() -> None:
    target, preds = boxes((3, 3, 6, 6), (30, 30, 1, 3)), boxes((3, 3, 6, 6), (20, 20, 1, 3))
    target[15:20, 15:20] = 2
    assert summary(object_counts(preds, target, 1)) == (1, 0, 0, 0, 0)
    assert summary(object_counts(preds, target, 2)) == (0, 1, 0, 0, 0)
    assert summary(object_counts(preds, target, 1, min_pixels=1)) == (1, 1, 1, 0, 0)


def test_pictures_add_up() -> None:
    one, two = boxes((2, 2, 10, 10)), boxes((5, 5, 10, 9), (5, 16, 10, 9))
    perfect, wrong, nothing = (object_counts(*pair, 1) for pair in ((one, one), (one, two), (boxes(), boxes())))
    total = perfect + wrong + nothing
    assert summary(total) == tuple(np.add(summary(perfect), summary(wrong)))
    np.testing.assert_array_equal(total.at_thresholds, perfect.at_thresholds + wrong.at_thresholds)
    each = challenge_precisions(np.stack([counts.at_thresholds for counts in (perfect, wrong, nothing)]))
    np.testing.assert_array_equal(each, [1, challenge_precision(wrong.at_thresholds), np.nan])
    assert challenge_precision(total.at_thresholds) != np.nanmean(each)


def test_ignored_pixels_count_nowhere() -> None:
    target = boxes((10, 10, 10, 10))
    target[:, 15:20] = 255
    preds = boxes((10, 10, 10, 10), (30, 16, 6, 4))  # one that is half ignored, one that is ignored altogether
    assert summary(object_counts(preds, target, 1)) == (1, 0, 0, 0, 0)
    assert object_counts(preds, target, 1).at_thresholds[:, 0].tolist() == [1] * 10  # IoU 1


def test_a_prediction_mostly_on_ignored_pixels_is_not_called_false() -> None:
    target = boxes()
    target[:, 20:] = 255
    mostly, hardly = boxes((5, 14, 6, 20)), boxes((5, 6, 6, 20))
    assert summary(object_counts(mostly, target, 1)) == (0, 0, 0, 0, 0)
    assert summary(object_counts(hardly, target, 1)) == (0, 0, 1, 0, 0)


def test_ignored_pixels_do_not_cut_a_prediction_in_two() -> None:
    target = boxes()
    target[:, 18:20] = 255
    assert summary(object_counts(boxes((5, 5, 6, 28)), target, 1)) == (0, 0, 1, 0, 0)


def test_settings_that_cannot_be() -> None:
    empty = boxes()
    for thresholds in (np.array([0.3, 0.5]), np.zeros(0)):
        with pytest.raises(SettingError, match=r"0\.5"):
            object_counts(empty, empty, 1, thresholds=thresholds)
    with pytest.raises(SettingError, match="do not add up"):
        object_counts(empty, empty, 1) + object_counts(empty, empty, 1, thresholds=np.array([0.5]))

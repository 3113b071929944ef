"""Shares and objects of a label map, by hand."""

import numpy as np

from segdemo.metrics import class_shares, object_areas

LABELS = np.array([[1, 1, 0, 0, 2], [1, 0, 0, 2, 0], [0, 0, 1, 1, 1], [0, 0, 1, 1, 1]], np.uint8)


def test_shares_by_hand() -> None:
    np.testing.assert_array_equal(class_shares(LABELS, 4), [9 / 20, 9 / 20, 2 / 20, 0])


def test_shares_are_exact_beyond_what_float32_counts() -> None:
    labels = np.zeros((4200, 4200), np.uint8)  # 17.6 million pixels, more than 2**24
    labels[0, 0] = 1
    assert class_shares(labels, 2)[0] * labels.size == labels.size - 1


def test_objects_touch_at_corners_and_small_ones_are_left_out() -> None:
    assert object_areas(LABELS, 1).tolist() == [6]
    assert object_areas(LABELS, 1, min_pixels=3).tolist() == [6, 3]
    assert object_areas(LABELS, 2, min_pixels=1).tolist() == [2]
    assert object_areas(LABELS, 3).size == 0

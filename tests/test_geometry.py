"""segdemo.geometry: sizes stay in proportion and in bounds; nearest neighbour picks the pixel under the centre."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segdemo.geometry import Geometry, plan, resize_nearest

SIDE = st.integers(1, 5000)


def test_plan_scales_to_the_short_side_and_pads_to_the_multiple() -> None:
    geometry = plan((1000, 600), short_side=300, max_pixels=10**7, multiple_of=32)
    assert geometry == Geometry((1000, 600), (500, 300), (512, 320))
    assert geometry.scale == 0.5
    assert geometry.padding == (12, 20)


def test_plan_keeps_the_native_size_without_a_short_side() -> None:
    assert plan((33, 47), short_side=None, max_pixels=10**7, multiple_of=16) == Geometry((33, 47), (33, 47), (48, 48))


def test_plan_scales_down_to_max_pixels() -> None:
    assert plan((4000, 2000), short_side=None, max_pixels=2_000_000, multiple_of=1).working == (2000, 1000)


@given(SIDE, SIDE, st.sampled_from([None, 64, 520]), st.sampled_from([1, 16, 32]))
def test_plan_stays_in_bounds(height: int, width: int, short_side: int | None, multiple_of: int) -> None:
    limit = 300_000
    geometry = plan((height, width), short_side=short_side, max_pixels=limit, multiple_of=multiple_of)
    (h, w), (padded_h, padded_w) = geometry.working, geometry.padded
    assert h >= 1 and w >= 1
    assert h * w <= limit + (h + w) / 2 + 1  # rounding moves each side by half a pixel
    assert padded_h % multiple_of == padded_w % multiple_of == 0
    assert 0 <= geometry.padding[0] < multiple_of and 0 <= geometry.padding[1] < multiple_of


@pytest.mark.parametrize("full", [(1, 60_000_000), (60_000_000, 1), (3, 20_000_000)])
def test_a_hostile_strip_cannot_grow_by_rounding_or_padding(full: tuple[int, int]) -> None:
    geometry = plan(full, short_side=None, max_pixels=2_097_152, multiple_of=16)
    assert geometry.padded[0] * geometry.padded[1] <= 2_097_152


@pytest.mark.parametrize("factor", [2, 3, 5])
def test_resize_nearest_repeats_pixels_up_and_takes_the_centre_down(factor: int) -> None:
    labels = np.random.default_rng(0).integers(0, 9, (2, 5, 7), dtype=np.uint8)
    large = resize_nearest(labels, (5 * factor, 7 * factor))
    np.testing.assert_array_equal(large, labels.repeat(factor, axis=1).repeat(factor, axis=2))
    np.testing.assert_array_equal(resize_nearest(large, (5, 7)), labels)


@given(st.integers(1, 40), st.integers(1, 40))
def test_resize_nearest_takes_the_pixel_under_each_centre(source: int, target: int) -> None:
    line = np.arange(source)[None, :]
    expected = [min(source - 1, (2 * i + 1) * source // (2 * target)) for i in range(target)]
    np.testing.assert_array_equal(resize_nearest(line, (1, target))[0], expected)


def test_resize_nearest_returns_the_same_array_for_the_same_size() -> None:
    labels = np.zeros((3, 4), np.uint8)
    assert resize_nearest(labels, (3, 4)) is labels
    assert resize_nearest(labels, (6, 2)).flags.c_contiguous

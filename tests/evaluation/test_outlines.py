"""Outlines of masks: valid by the rules of polygons, and exactly the pixels they came from."""

import numpy as np
import pytest
import shapely
import skimage.draw
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from segdemo.data.nuclei_like import draw_nuclei
from segdemo.errors import ImageError
from segdemo.evaluation.annotations.filling import filled, paint
from segdemo.evaluation.annotations.outlines import Polygon, labelled_polygons, mask_polygons

Mask = NDArray[np.bool_]
MASKS = arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=10))


def mask(*rows: str) -> Mask:
    return np.array([[pixel == "#" for pixel in row] for row in rows])


def corners(ring: NDArray[np.int32]) -> list[tuple[int, int]]:
    """The ring from its smallest corner on."""
    points = [(int(x), int(y)) for x, y in ring]
    first = points.index(min(points))
    return points[first:] + points[:first]


NAMED = {
    "empty": mask("...", "..."),
    "full": mask("###", "###"),
    "one pixel": mask("...", ".#.", "..."),
    "hole": mask("###", "#.#", "###"),
    "hole that touches the outside by a corner": mask("###", "#.#", "##."),
    "holes that touch each other": mask("####", "#.##", "##.#", "####"),
    "cells of a chain": mask("#..", ".#.", "..#"),
    "chain around a hole": mask(".#.", "#.#", ".#."),
    "an island in a lake": mask("#####", "#...#", "#.#.#", "#...#", "#####"),
    "an island at the shore": mask("#####", "##..#", "#.#.#", "#...#", "#####"),
    "all along the border": mask("####", "#..#", "####"),
    "chessboard": np.indices((7, 8)).sum(axis=0) % 2 > 0,
}


def check(shape: Mask, polygons: tuple[Polygon, ...]) -> None:
    areas = [shapely.Polygon(polygon.exterior, polygon.holes) for polygon in polygons]
    for polygon, area in zip(polygons, areas, strict=True):
        assert area.is_valid
        assert area.exterior.is_ccw and not any(ring.is_ccw for ring in area.interiors)
        for ring in polygon.rings:
            steps = np.roll(ring, -1, axis=0) - ring
            assert ((steps == 0).sum(axis=1) == 1).all(), "every edge goes along one axis"
            assert ((steps[:, 0] == 0) != np.roll(steps[:, 0] == 0, 1)).all(), "every corner turns"
            assert len(np.unique(ring, axis=0)) == len(ring), "no ring touches itself"
    assert sum(area.area for area in areas) == shape.sum()
    np.testing.assert_array_equal(filled(polygons, (shape.shape[0], shape.shape[1])), shape)


def check_parts(shape: Mask, polygons: tuple[Polygon, ...]) -> None:
    check(shape, polygons)
    assert shapely.MultiPolygon([shapely.Polygon(polygon.exterior, polygon.holes) for polygon in polygons]).is_valid


@given(MASKS)
def test_outlines_of_any_mask_are_valid_and_exact(shape: Mask) -> None:
    check_parts(shape, mask_polygons(shape))


@given(MASKS)
def test_without_holes_as_well(shape: Mask) -> None:
    polygons = mask_polygons(shape, holes=False)
    check(shape, polygons)
    assert not any(polygon.holes for polygon in polygons)


@pytest.mark.parametrize("name", NAMED)
def test_named_cases(name: str) -> None:
    check_parts(NAMED[name], mask_polygons(NAMED[name]))
    check(NAMED[name], mask_polygons(NAMED[name], holes=False))


def test_corners_by_hand() -> None:
    (polygon,) = mask_polygons(mask(".##", "##."))
    assert corners(polygon.exterior) == [(0, 1), (1, 1), (1, 0), (3, 0), (3, 1), (2, 1), (2, 2), (0, 2)]
    (ring,) = mask_polygons(NAMED["hole that touches the outside by a corner"])
    assert corners(ring.exterior) == [(0, 0), (3, 0), (3, 2), (2, 2), (2, 3), (0, 3)]
    assert [corners(hole) for hole in ring.holes] == [[(1, 1), (1, 2), (2, 2), (2, 1)]]


def test_a_touch_by_corners_alone_makes_two_polygons_of_one_region() -> None:
    assert len(mask_polygons(NAMED["cells of a chain"])) == 3
    assert [len(polygon.holes) for polygon in mask_polygons(NAMED["an island in a lake"])] == [1, 0]


def test_regions_side_by_side_share_their_border() -> None:
    ids = np.array([[1, 1, 2], [3, 1, 2], [1, 3, 0]], np.int32)
    first, second, third = labelled_polygons(ids, 3)
    assert [len(first), len(second), len(third)] == [2, 1, 2]
    for number, polygons in enumerate((first, second, third), start=1):
        np.testing.assert_array_equal(filled(polygons, (3, 3)), ids == number)


def test_a_micrograph_comes_back() -> None:
    _picture, labels = draw_nuclei(256, 320, seed=3, count=60)
    check(labels > 0, mask_polygons(labels > 0))


@given(arrays(np.float64, st.tuples(st.integers(3, 7), st.just(2)), elements=st.floats(-3, 12).map(lambda x: x + 1 / 3)))
def test_filling_has_the_pixel_centre_rule_for_any_polygon(corner: NDArray[np.float64]) -> None:
    canvas = np.zeros((8, 9), np.uint8)
    paint([(7, [corner])], canvas)
    rows, columns = skimage.draw.polygon(corner[:, 1] - 0.5, corner[:, 0] - 0.5, canvas.shape)
    expected = np.zeros_like(canvas)
    expected[rows, columns] = 7
    near = shapely.LinearRing(corner).buffer(1e-6, quad_segs=1)
    for y, x in np.argwhere(canvas != expected):  # the two may differ only where a centre lies on an edge
        assert near.contains(shapely.Point(x + 0.5, y + 0.5))


def test_later_polygons_lie_over_earlier_ones() -> None:
    canvas = np.zeros((4, 5), np.uint8)
    square = np.array([[0, 0], [3, 0], [3, 3], [0, 3]])
    paint([(1, [square]), (2, [square + 1]), (3, [])], canvas)
    assert canvas.tolist() == [[1, 1, 1, 0, 0], [1, 2, 2, 2, 0], [1, 2, 2, 2, 0], [0, 2, 2, 2, 0]]


def test_polygons_that_would_fill_the_memory_are_refused() -> None:
    zigzag = np.stack([np.arange(20_000) % 7, np.arange(20_000) % 2 * 4000], axis=1)
    with pytest.raises(ImageError, match="too many long edges"):
        paint([(1, [zigzag])], np.zeros((4000, 8), np.uint8))

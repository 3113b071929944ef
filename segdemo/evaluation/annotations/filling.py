"""The pixels that polygons cover: those whose centre lies inside. The other way round from the outlines.

For each edge of each polygon and each row of pixels whose centres it passes, the column of the first centre right of the edge is
noted; from every odd one of a polygon's columns in a row to the next, the pixels lie inside (even–odd rule). Centres exactly
on an edge belong to what lies right of it, or below. `skimage.draw.polygon` has the same rule, up to centres on an edge, but
asks for every pixel about every edge.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from segdemo.errors import ImageError
from segdemo.evaluation.annotations.outlines import Polygon
from segdemo.text import _
from segdemo.types import LabelMap, Size

__all__ = ["Shape", "filled", "paint"]

Shape = tuple[int, Sequence[NDArray[np.number]]]  # a label, and the rings (K, 2) of one polygon, as x, y in pixels
Vector = NDArray[np.float64]
MAX_CROSSINGS = 2**24  # of edges with rows; about 100 bytes of memory each


def _edges(rings: Sequence[NDArray[np.number]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Begin and end (E, 2) of all edges; each ring's last corner is joined to its first."""
    begin = np.concatenate(rings).astype(np.float64)
    onward = np.arange(1, len(begin) + 1)
    ends = np.cumsum([len(ring) for ring in rings])
    onward[ends - 1] = ends - [len(ring) for ring in rings]
    return begin, begin[onward]


def _first_centre(position: Vector, limit: int) -> NDArray[np.int64]:
    """The first of `limit` pixels in a line whose centre is not before each position; `limit` if there is none."""
    return np.ceil(np.clip(position, 0, limit) - 0.5).astype(np.int64)


def _runs(shapes: Sequence[Shape], size: Size) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Shape, begin and end of every run of pixels inside, counted through the picture row by row, in the order of shapes."""
    height, width = size
    begin, end = _edges([ring for _value, rings in shapes for ring in rings])
    shape = np.repeat(np.arange(len(shapes)), [sum(map(len, rings)) for _value, rings in shapes])
    top = _first_centre(np.minimum(begin[:, 1], end[:, 1]), height)
    rows = _first_centre(np.maximum(begin[:, 1], end[:, 1]), height) - top
    if rows.sum() > MAX_CROSSINGS:
        raise ImageError(_("These polygons have too many long edges to be drawn."))
    edge = np.repeat(np.arange(len(begin)), rows)
    row = np.arange(len(edge)) - np.repeat(np.cumsum(rows) - rows - top, rows)
    (x, y), (far_x, far_y) = begin[edge].T, end[edge].T
    column = _first_centre(x + (row + 0.5 - y) * (far_x - x) / (far_y - y), width)
    # One number for shape, row and column, so that sorting the numbers sorts by all three.
    place = np.sort((shape[edge] * height + row) * (width + 1) + column).reshape(-1, 2)
    line, column = np.divmod(place, width + 1)
    shape, row = np.divmod(line[:, 0], height)
    return shape, row * width + column[:, 0], row * width + column[:, 1]


def paint(shapes: Iterable[Shape], canvas: LabelMap) -> None:
    """Draws each polygon in its label (0–255) into a label map (H, W) in place, later ones over earlier ones.

    Corners may lie between pixels and outside the picture; they are finite. Raises ImageError where there are far more edges
    than any label map has.
    """
    drawn = [(value, [ring for ring in rings if len(ring)]) for value, rings in shapes]
    drawn = [(value, rings) for value, rings in drawn if rings]
    if drawn:
        shape, begin, end = _runs(drawn, (canvas.shape[0], canvas.shape[1]))
        values = np.array([value for value, _rings in drawn], np.uint8)[shape]
        pixels = canvas.reshape(-1)
        for value, first, last in zip(values.tolist(), begin.tolist(), end.tolist(), strict=True):
            pixels[first:last] = value


def filled(polygons: Iterable[Polygon], size: Size) -> NDArray[np.bool_]:
    """The mask (H, W) of all pixels whose centre lies in one of the polygons."""
    canvas = np.zeros(size, np.uint8)
    paint([(1, polygon.rings) for polygon in polygons], canvas)
    return canvas > 0

"""Exact outlines: the polygons along the pixel edges of a mask, and the mask that polygons cover.

Corners are whole numbers: pixel (row r, column c) is the square from (c, r) to (c + 1, r + 1), x to the right, y down.
A mask and its polygons are therefore the same set of points, and `filled` finds the mask again, pixel by pixel.

    mask      outline                    Edges are walked with the region to the right, as seen on the screen. Where two
    . # #     (1,0) → (3,0) → (3,1)      pixels of a region touch by a corner only, and by no way around inside of it, they
    # # .     → (2,1) → (2,2) → (0,2)    are two polygons (of one MultiPolygon); where there is a way around, the walk turns
              → (0,1) → (1,1) → (1,0)    so that what they enclose is a hole, touching the outside in that one corner.

So no ring ever touches itself, and all polygons are valid as OGC Simple Features and RFC 7946 demand. The exterior goes
counter-clockwise and holes clockwise if y pointed upwards (positive and negative area by the shoelace formula), as RFC 7946
wants; on the screen, where y points down, exteriors go clockwise.

`skimage.measure.find_contours` goes through pixel centres, `cv2.findContours` cuts the corners of holes; GDAL's polygonizer,
which does the same as this file, brings all of GDAL.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from skimage.measure import label

__all__ = ["Polygon", "Ring", "labelled_polygons", "mask_polygons"]

Ring = NDArray[np.int32]  # (K, 2) corners x, y; the last is joined to the first, which is not repeated
Vector = NDArray[np.int64]
EAST, SOUTH, WEST, NORTH = range(4)


@dataclass(frozen=True)
class Polygon:
    """An area without crossings: inside `exterior`, outside all `holes`."""

    exterior: Ring
    holes: tuple[Ring, ...] = ()

    @property
    def rings(self) -> tuple[Ring, ...]:
        """The exterior, then the holes."""
        return (self.exterior, *self.holes)


@dataclass(frozen=True)
class _Strokes:
    """Straight pieces of outline, each as long as it goes: begin, direction and owner, and which piece goes on where it ends."""

    x: Vector
    y: Vector
    owner: Vector
    following: Vector


def _corners(pieces: NDArray[np.int32]) -> tuple[Vector, Vector, list[NDArray[np.int32]]]:
    """y and x of the grid points where more than one piece meets, and the four pixels around each, from top left clockwise."""
    around = np.pad(pieces, 1)
    top_left, top_right, low_left, low_right = around[:-1, :-1], around[:-1, 1:], around[1:, :-1], around[1:, 1:]
    mixed = (top_left != top_right) | (low_left != low_right) | (top_left != low_left)
    y, x = np.nonzero(mixed)
    return y, x, [pixels[y, x] for pixels in (top_left, top_right, low_right, low_left)]


def _strokes(pieces: NDArray[np.int32]) -> _Strokes:
    """All straight pieces of the outlines of 4-connected pieces (H, W), 0 being none of them."""
    y, x, pixels = _corners(pieces)
    begins, ends, towards = [], [], []
    for direction in (EAST, SOUTH, WEST, NORTH):
        # Seen in walking direction: ahead left, ahead right, behind right, behind left; the region is to the right.
        ahead_left, ahead_right, behind_right, behind_left = (pixels[(direction + k + 1) % 4] for k in range(4))
        leaves = (ahead_right != 0) & (ahead_right != ahead_left)
        arrives = (behind_right != 0) & (behind_right != behind_left)
        straight = leaves & arrives & (ahead_right == behind_right)
        order = np.lexsort((y, x)) if direction in (SOUTH, NORTH) else np.arange(len(x))
        begin, end = order[(leaves & ~straight)[order]], order[(arrives & ~straight)[order]]
        begins.append(begin)  # along a line of the grid, the n-th begin and the n-th end belong to one stroke
        ends.append(end)
        left = ahead_left[end] == behind_right[end]  # the region goes on there, or joins it by this corner
        towards.append((direction + np.where(left, 3, 1)) % 4)
    start = np.concatenate(begins)
    heading = np.repeat(np.arange(4), [len(begin) for begin in begins])
    owner = np.concatenate([pixels[(d + 2) % 4][begin] for d, begin in enumerate(begins)])
    table = np.full(4 * len(x), -1, np.int64)
    table[4 * start + heading] = np.arange(len(start))
    following = table[4 * np.concatenate(ends) + np.concatenate(towards)]
    return _Strokes(x[start], y[start], owner, following)


def _walks(following: Vector) -> tuple[Vector, Vector]:
    """The cycles of a permutation, one after the other, and where each begins."""
    onward: list[int] = following.tolist()
    order: list[int] = []
    firsts: list[int] = []
    seen = bytearray(len(onward))
    for first in range(len(onward)):
        if not seen[first]:
            firsts.append(len(order))
            at = first
            while not seen[at]:
                seen[at] = 1
                order.append(at)
                at = onward[at]
    return np.array(order, np.int64), np.array(firsts, np.int64)


def _by_piece(pieces: NDArray[np.int32], count: int) -> list[Polygon]:
    """The polygon of each 4-connected piece 1 … count of a map (H, W)."""
    if not count:
        return []
    strokes = _strokes(pieces)
    order, firsts = _walks(strokes.following)
    x, y = strokes.x[order], strokes.y[order]
    onward = strokes.following[order]
    doubled = np.add.reduceat(x * strokes.y[onward] - y * strokes.x[onward], firsts)  # shoelace: twice the area
    rings = np.split(np.stack([x, y], axis=1).astype(np.int32), firsts[1:])
    exteriors: list[Ring] = [np.zeros((0, 2), np.int32)] * count
    holes: list[list[Ring]] = [[] for _piece in range(count)]
    for ring, piece, area in zip(rings, (strokes.owner[order[firsts]] - 1).tolist(), doubled.tolist(), strict=True):
        if area > 0:
            exteriors[piece] = ring
        else:
            holes[piece].append(ring)
    return [Polygon(exterior, tuple(inner)) for exterior, inner in zip(exteriors, holes, strict=True)]


def _pieces(ids: NDArray[np.int32]) -> NDArray[np.int32]:
    """Regions (H, W), 0 being none, cut where they hang together by corners only: 4-connected pieces 1 … P."""
    return np.asarray(label(ids, background=0, connectivity=1), np.int32)  # type: ignore[no-untyped-call]


def _cut_open(pieces: NDArray[np.int32], polygons: Sequence[Polygon]) -> NDArray[np.int32]:
    """Pieces cut from top to bottom along the left end of each of their holes, so that none has a hole."""
    parts = pieces.copy()
    for number, polygon in enumerate(polygons, start=1):
        if polygon.holes:
            (left, top), (right, low) = polygon.exterior.min(axis=0), polygon.exterior.max(axis=0)
            cuts = np.unique([hole[:, 0].min() for hole in polygon.holes])
            strip = np.searchsorted(cuts, np.arange(left, right), side="right").astype(np.int32)
            inside = pieces[top:low, left:right] == number
            # Neighbouring strips become different; strips further apart do not touch.
            parts[top:low, left:right] += inside * (strip % 2) * len(polygons)
    return _pieces(parts)


def labelled_polygons(ids: NDArray[np.int32], count: int, *, holes: bool = True) -> list[tuple[Polygon, ...]]:
    """The polygons of regions 1 … `count` of a map (H, W), whose 0 belongs to none (`Regions.ids`).

    A region has one polygon for each of its 4-connected pieces; together they cover exactly its pixels. Without `holes`,
    pieces that have some are cut through them into several polygons that share the cuts, for formats that know no holes.
    """
    pieces = _pieces(ids)
    polygons = _by_piece(pieces, int(pieces.max(initial=0)))
    if not holes and any(polygon.holes for polygon in polygons):
        pieces = _cut_open(pieces, polygons)
        polygons = _by_piece(pieces, int(pieces.max()))
    region_of = np.zeros(len(polygons) + 1, np.int32)
    region_of[pieces.ravel()] = ids.ravel()
    gathered: list[list[Polygon]] = [[] for _region in range(count)]
    for polygon, region in zip(polygons, region_of[1:].tolist(), strict=True):
        gathered[region - 1].append(polygon)
    return [tuple(own) for own in gathered]


def mask_polygons(mask: NDArray[np.bool_], *, holes: bool = True) -> tuple[Polygon, ...]:
    """The polygons of a mask (H, W), as `labelled_polygons` of one region: valid, disjoint but for corners and cuts, exact."""
    return labelled_polygons(mask.astype(np.int32), 1, holes=holes)[0]

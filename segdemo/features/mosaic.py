"""Mosaics: all channels of a stage at once, each in a cell of its own, as one small palette PNG.

Values are averaged or repeated by whole factors (`mosaic_grid`), turned into palette entries in one go, laid out, and
packed. No picture of three bytes a pixel is made on the way.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from segdemo.errors import SettingError
from segdemo.features.colour import GAP, MIDDLE, STEPS, Kind, Scope, kind_of, palette, to_levels
from segdemo.features.maps import as_maps, extremes, inner_extremes
from segdemo.features.mosaic_grid import Grid, plan_grid
from segdemo.features.palette_png import palette_png
from segdemo.text import _
from segdemo.types import RGBImage

__all__ = ["ASPECT", "MAX_WIDTH", "Mosaic", "draw_mosaic", "mosaic"]

ASPECT, MAX_WIDTH = 2.4, 1600  # width / height, and px
MAX_BYTES = 690_000
COARSER = tuple(step for step in range(1, MIDDLE + 1) if MIDDLE % step == 0)  # all keep zero and both ends of the scale

Range = tuple[float, float]


@dataclass(frozen=True)
class Mosaic(Grid):
    """A mosaic's file and what is needed to read it: which channel lies where, and what its colours mean.

    `order` are the channels in the cells, row by row. `ranges` holds the values (low, high) at the ends of the scale:
    of each cell in turn with scope "map", otherwise one for all. `raw` are the stage's own extremes. `levels` is how
    many steps of the scale were used: all STEPS, or fewer where noise would not have fitted into MAX_BYTES.
    """

    png: bytes
    order: tuple[int, ...]
    kind: Kind
    scope: Scope
    ranges: tuple[Range, ...]
    raw: Range
    levels: int

    def locate(self, x: float, y: float) -> tuple[int, int, int] | None:
        """(channel, row, column) in the map's own grid under a point in px of the picture; None between the cells."""
        if (found := self.at(x, y)) is None:
            return None
        place, row, column = found
        return self.order[place], row, column

    def range_of(self, channel: int) -> Range:
        """The values at the ends of the scale in that channel's cell."""
        return self.ranges[self.order.index(channel)] if self.scope == "map" else self.ranges[0]


class _Drawing(NamedTuple):
    """A mosaic before it is coloured: its palette entries (H, W), and what they mean."""

    indices: NDArray[np.uint8]
    grid: Grid
    order: tuple[int, ...]
    kind: Kind
    ranges: tuple[Range, ...]
    raw: Range


def draw_mosaic(
    activation: Tensor,
    *,
    order: Sequence[int] | None = None,
    scope: Scope = "stage",
    all_range: Range | None = None,
    kind: Kind | None = None,
    clip: float = 0.0,
    aspect: float = ASPECT,
    max_width: int = MAX_WIDTH,
) -> Mosaic:
    """The channels of an activation (C, h, w) or (1, C, h, w) as a palette PNG with transparent gaps.

    `order` names the channels to show, in that order (default: all as they come). Scope "all" takes `all_range`, the
    (low, high) over all stages. `kind` is decided by the values unless given. With `clip`, that share of the
    values at each end of a map's or the stage's own range lies beyond the scale. A reduced map shows means of blocks,
    while ranges are those of the single values. Raises SettingError for another shape, order, range or measure.
    """
    drawing = _drawn(activation, order, scope, all_range, kind, clip, aspect, max_width)
    indices, levels = _within_bytes(drawing.indices, drawing.grid.enlarged[0])
    png = palette_png(indices, palette(drawing.kind), transparent=(GAP,), repeats=max(drawing.grid.enlarged) > 1)
    return Mosaic(
        **vars(drawing.grid), png=png, order=drawing.order, kind=drawing.kind, scope=scope, ranges=drawing.ranges,
        raw=drawing.raw, levels=levels,
    )  # fmt: skip


def mosaic(
    activation: Tensor,
    *,
    order: Sequence[int] | None = None,
    scope: Scope = "stage",
    all_range: Range | None = None,
    kind: Kind | None = None,
    clip: float = 0.0,
    aspect: float = ASPECT,
    max_width: int = MAX_WIDTH,
) -> RGBImage:
    """The channels of an activation (C, h, w) or (1, C, h, w) as a picture (H, W, 3) with grey gaps; see `draw_mosaic`."""
    drawing = _drawn(activation, order, scope, all_range, kind, clip, aspect, max_width)
    return np.take(palette(drawing.kind), drawing.indices, axis=0)


def _drawn(
    activation: Tensor,
    order: Sequence[int] | None,
    scope: Scope,
    all_range: Range | None,
    kind: Kind | None,
    clip: float,
    aspect: float,
    max_width: int,
) -> _Drawing:
    maps = as_maps(activation)
    if not (aspect > 0 and max_width > 0):
        raise SettingError(_("A mosaic's width and its ratio of width to height are positive numbers."))
    shown = _checked_order(order, maps.shape[0])
    lows, highs = extremes(maps)
    kind = kind or kind_of([torch.from_numpy(lows), torch.from_numpy(highs)])
    if scope == "all":
        ranges: tuple[Range, ...] = (_given(all_range),)
    else:
        seen = maps if scope == "map" else maps.reshape(1, -1, 1)
        ranges = _ranges(*(inner_extremes(seen, clip) if clip else (lows, highs)), shown, scope, kind)
    grid = plan_grid(len(shown), (maps.shape[1], maps.shape[2]), aspect, max_width)
    raw = (float(lows.min()), float(highs.max()))
    return _Drawing(_indices(maps, shown, grid, ranges, kind), grid, shown, kind, ranges, raw)


def _checked_order(order: Sequence[int] | None, channels: int) -> tuple[int, ...]:
    if order is None:
        return tuple(range(channels))
    shown = tuple(int(channel) for channel in order)
    if not shown or len(set(shown)) < len(shown) or not all(0 <= channel < channels for channel in shown):
        raise SettingError(_("A mosaic shows at least one of the channels 0 to {last}, each once.", last=channels - 1))
    return shown


def _given(all_range: Range | None) -> Range:
    if all_range is None or not np.isfinite(all_range).all() or all_range[0] > all_range[1]:
        raise SettingError(_("Colours over all stages need the lowest and the highest value of all stages."))
    return float(all_range[0]), float(all_range[1])


def _ranges(
    lows: NDArray[np.float32], highs: NDArray[np.float32], shown: tuple[int, ...], scope: Scope, kind: Kind
) -> tuple[Range, ...]:  # fmt: skip
    """The ends of the scale from extremes (C,), or (1,) of the whole stage: one for each cell, or one for all."""
    if scope == "stage":
        lows, highs = lows.min(keepdims=True), highs.max(keepdims=True)
    else:
        lows, highs = lows[list(shown)], highs[list(shown)]
    if kind == "diverging":
        highs = np.maximum(np.abs(lows), np.abs(highs))
        lows = -highs
    return tuple(zip(lows.tolist(), highs.tolist(), strict=True))


def _indices(maps: Tensor, shown: tuple[int, ...], grid: Grid, ranges: tuple[Range, ...], kind: Kind) -> NDArray[np.uint8]:
    """Palette entries (H, W) of the whole mosaic."""
    maps = _means(maps, grid)
    if shown != tuple(range(maps.shape[0])):
        maps = maps[list(shown)]
    low, high = torch.tensor(ranges, dtype=torch.float64).T[:, :, None, None]
    levels = to_levels(maps, low, high, kind)
    for axis, times in enumerate(grid.enlarged, 1):
        levels = levels.repeat(times, axis=axis) if times > 1 else levels
    return _laid_out(levels, grid)


def _means(maps: Tensor, grid: Grid) -> Tensor:
    """The mean of each block of positions; a block is only cut short at the map's lower and right edge."""
    if grid.reduced == (1, 1):
        return maps
    (count, height, width), (down, across) = maps.shape, grid.reduced
    if height % down or width % across:
        return F.avg_pool2d(maps, grid.reduced, ceil_mode=True, count_include_pad=False)
    strip = maps.reshape(count * height, width).numpy()  # one map under the other: OpenCV is done in a sixth of the time
    means = cv2.resize(strip, (width // across, len(strip) // down), interpolation=cv2.INTER_AREA)
    return torch.from_numpy(means).reshape(count, height // down, width // across)


def _laid_out(cells: NDArray[np.uint8], grid: Grid) -> NDArray[np.uint8]:
    """Cells (count, cell height, cell width) → the picture (H, W), gaps and unused places filled with GAP."""
    down, across = grid.cell_height, grid.cell_width
    canvas = np.full((grid.rows, down + grid.gap, grid.columns, across + grid.gap), GAP, np.uint8)
    places = canvas.transpose(0, 2, 1, 3)[:, :, :down, :across]  # a view: (rows, columns, down, across)
    full = grid.count // grid.columns
    places[:full] = cells[: full * grid.columns].reshape(full, grid.columns, down, across)
    places[full:, : grid.count - full * grid.columns] = cells[full * grid.columns :]
    return canvas.reshape(grid.rows * (down + grid.gap), -1)[: grid.height, : grid.width]


def _within_bytes(indices: NDArray[np.uint8], repeated: int) -> tuple[NDArray[np.uint8], int]:
    """Fewer steps of the scale where Huffman codes, whose length the histogram tells, would exceed MAX_BYTES.

    Of `repeated` equal lines only one needs codes.
    """
    histogram = cv2.calcHist([indices], [0], None, [256], [0, 256]).ravel()
    for step in COARSER:
        coarse = np.arange(256)
        coarse[:STEPS] = MIDDLE + np.rint((coarse[:STEPS] - MIDDLE) / step).astype(int) * step
        shares = np.bincount(coarse, weights=histogram, minlength=256) / indices.size
        shares = shares[shares > 0]
        # Codes of whole bits are up to 3 % longer than the entropy.
        if 1.03 * indices.size / repeated / 8 * -(shares * np.log2(shares)).sum() <= MAX_BYTES:
            break
    return (indices if step == 1 else np.take(coarse.astype(np.uint8), indices)), 2 * (MIDDLE // step) + 1

"""What a race shows: a sheet of the pictures with their exact masks, a sheet of what each loss made of them, and curves."""

import math
from collections.abc import Sequence
from textwrap import wrap

import cv2
import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from segdemo.data.imbalanced import PictureSet
from segdemo.features.palette_png import palette_png
from segdemo.inference.agreement import ERROR_KINDS
from segdemo.text import _
from segdemo.training.race import SHOWN
from segdemo.training.race_settings import RaceSettings
from segdemo.training.snapshots import Curves
from segdemo.types import IGNORE_INDEX
from segdemo.ui.drawing import encode_small
from segdemo.ui.loss_colours import colour_of, title_of

__all__ = ["PALETTE", "Mask", "curves_figure", "masks_sheet", "pictures_sheet"]

Mask = NDArray[np.bool_]  # (SHOWN, S, S)

CELL, GAP = 128, 3  # pixels of a cell, at least, and between cells
# Rightly left out; then Segment's colours of a hit, a false alarm and a miss; not known yet, ignored, gap.
PALETTE = np.array([(38, 45, 54), *(kind.color for kind in ERROR_KINDS[1:4]), (120, 130, 140), (70, 78, 86), (0, 0, 0)], np.uint8)
NOTHING, IGNORED, BETWEEN = 4, 5, 6
POINTS = 240  # of one loss curve
TITLE_WIDTH = 13  # characters: four plots fit a phone
METRICS = ("dice", "iou", "precision", "recall")


def pictures_sheet(pictures: PictureSet) -> bytes:
    """PNG: a row for each shown validation picture, the picture and its exact mask."""
    truth = _judged(pictures.validation_targets[:SHOWN] == 1, pictures.validation_targets[:SHOWN])
    side = _side(pictures.size)
    photographs = [cv2.resize(image, (side, side), interpolation=cv2.INTER_CUBIC) for image in pictures.validation_images[:SHOWN]]
    columns = [np.stack(photographs), PALETTE[_enlarged(truth)]]
    opaque = [np.concatenate([cells, np.full((*cells.shape[:3], 1), 255, np.uint8)], axis=3) for cells in columns]
    return encode_small(_sheet(opaque, np.zeros(4, np.uint8))).data


def masks_sheet(pictures: PictureSet, masks: Sequence[Mask | None]) -> bytes:
    """PNG with palette: a row for each shown picture, a column for each loss; what is right, and which way it is wrong.

    masks: (SHOWN, S, S) bool of each loss; None where there is nothing yet.
    """
    targets = pictures.validation_targets[:SHOWN]
    nothing = np.full(targets.shape, NOTHING, np.uint8)
    columns = [nothing if found is None else _judged(found, targets) for found in masks]
    return palette_png(
        _sheet([_enlarged(cells) for cells in columns], np.array(BETWEEN, np.uint8)),
        PALETTE,
        transparent=(BETWEEN,),
        repeats=True,
    )


def _judged(found: NDArray[np.bool_], target: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Indices into PALETTE, (N, S, S)."""
    judged = np.where(target == 1, np.where(found, 1, 3), np.where(found, 2, 0))
    return np.where(target == IGNORE_INDEX, IGNORED, judged).astype(np.uint8)


def _side(size: int) -> int:
    """Pixels a side of a cell: a multiple of the pictures' own."""
    return size * max(1, math.ceil(CELL / size))


def _enlarged(cells: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Cells (N, S, S), every pixel repeated."""
    factor = _side(cells.shape[1]) // cells.shape[1]
    return np.repeat(np.repeat(cells, factor, axis=1), factor, axis=2)


def _sheet(columns: list[NDArray[np.uint8]], gap: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Columns of cells (N, S, S, …), below and to the right of each a gap of the value `gap` (…): sheets of two and of
    five columns are as high as each other when their widths are as two to five."""
    padded = []
    for cells in columns:
        rows, side = cells.shape[:2]
        framed = np.empty((rows, side + GAP, side + GAP, *gap.shape), np.uint8)
        framed[...] = gap
        framed[:, :side, :side] = cells
        padded.append(framed.reshape(rows * (side + GAP), side + GAP, *gap.shape))
    return np.concatenate(padded, axis=1)


def curves_figure(settings: RaceSettings, curves: list[Curves], shown: int | None) -> go.Figure:
    """Four small plots of scores over one of each training loss, in its own unit. `shown`: the step marked by a line."""
    figure = go.Figure()
    words = {"dice": "Dice", "iou": "IoU", "precision": _("Precision"), "recall": _("Recall")}
    for place, metric in enumerate(METRICS):
        axis = _axes(figure, place, len(METRICS), place, (0.61, 0.94), words[metric], settings.steps, None, shown)
        figure.update_layout({f"yaxis{axis}": {"range": [-0.02, 1.02], "tickvals": [0, 0.5, 1]}})
        for name, curve in zip(settings.losses, curves, strict=True):
            values = [_number(getattr(scores, metric)) for scores in curve.scores]
            figure.add_trace(_line(list(curve.scored), values, name, axis, words[metric]))
    count = len(settings.losses)
    for place, (name, curve) in enumerate(zip(settings.losses, curves, strict=True)):
        axis = _axes(figure, len(METRICS) + place, count, place, (0.09, 0.38), title_of(name), settings.steps, name, shown)
        every = max(1, math.ceil(len(curve.loss) / POINTS))
        steps = list(range(1, len(curve.loss) + 1))[::every]
        figure.add_trace(_line(steps, [_number(v) for v in curve.loss[::every]], name, axis, _("Loss")))
    margin = {"l": 0, "r": 12, "t": 4, "b": 16}
    figure.update_layout(height=400, margin=margin, showlegend=False, uirevision="race", hovermode="x")
    figure.add_annotation(
        text=_("Step"), x=1, y=0, xref="paper", yref="paper", showarrow=False, xanchor="right", yanchor="top", font={"size": 12}
    )  # fmt: skip
    return figure


def _axes(
    figure: go.Figure, number: int, count: int, place: int, domain: tuple[float, float], title: str, steps: int,
    loss: str | None, shown: int | None,
) -> str:  # fmt: skip
    """One small plot, the `place`-th of `count` in its row. Returns what its axes' names end with."""
    axis = str(number + 1) if number else ""
    gap = 0.05
    width = (1 - gap * (count - 1)) / count
    left = place * (width + gap)
    figure.update_layout({
        f"xaxis{axis}": {
            "domain": [left + 0.015, min(1.0, left + width)], "anchor": f"y{axis}", "range": [0, steps],
            "tickvals": [0, steps // 2, steps], "tickfont": {"size": 10}, "title": None, "zeroline": False,
        },
        f"yaxis{axis}": {"domain": list(domain), "anchor": f"x{axis}", "nticks": 4, "title": None, "tickfont": {"size": 10}},
    })  # fmt: skip
    mark = "" if loss is None else f'<span style="color:{colour_of(loss)}">■</span> '
    figure.add_annotation(
        text=mark + "<br>".join(wrap(title, TITLE_WIDTH)), x=left, y=domain[1] + 0.005, xref="paper", yref="paper",
        xanchor="left", yanchor="bottom", showarrow=False, align="left", font={"size": 12},
    )  # fmt: skip
    if shown is not None:
        figure.add_shape(
            type="line", x0=shown, x1=shown, y0=0, y1=1, xref=f"x{axis}", yref=f"y{axis} domain", line={"width": 1, "dash": "dot"}
        )
    return axis


def _line(x: list[int], y: list[float | None], name: str, axis: str, quantity: str) -> go.Scatter:
    return go.Scatter(
        x=x, y=y, mode="lines", name=title_of(name), line={"color": colour_of(name), "width": 1.8}, xaxis=f"x{axis}",
        yaxis=f"y{axis}", hovertemplate=f"{title_of(name)}<br>{quantity} %{{y:.3f}}<extra></extra>",
    )  # fmt: skip


def _number(value: float) -> float | None:
    """Four digits are more than a small plot shows; a gap for what is no number."""
    return float(f"{value:.4g}") if math.isfinite(value) else None

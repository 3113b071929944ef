"""Drawings of the 1×1 view: blocks with their channels as widths, weights as bars, gradients through many layers."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from segdemo.layerlab.block_counts import Block
from segdemo.text import _
from segdemo.ui.layers_colours import GREEN, GREY, ORANGE, PINK, SKY, VERMILION

__all__ = ["blocks_figure", "chain_figure", "weights_figure"]

KERNEL_COLOURS = {1: ORANGE, 3: SKY, 5: PINK}
EDGE = "rgba(128, 128, 128, 0.5)"
PLAIN, RESIDUAL = VERMILION, GREEN
RESIDUAL_BLOCKS = ("plain", "bottleneck", "plain_wide")  # to whose result the input is added
ROW = 118  # pixels of a block's stripe
MIDDLE = 0.56  # of a stripe, from its top


def blocks_figure(blocks: Sequence[Block]) -> go.Figure:
    """A row a block: every tensor is a bar as tall as it has channels, every convolution an arrow in its kernel's colour."""
    most = max(max(layer.inputs, layer.outputs) for block in blocks for layer in block.layers)
    longest = max(len(block.layers) for block in blocks)
    bars, notes = [], []
    for row, block in enumerate(blocks):
        bars += _bars(block, -row, most)
        notes += _notes(block, -row, most)
    return go.Figure(layout={
        "height": ROW * len(blocks), "margin": {"l": 0, "r": 0, "t": 0, "b": 0}, "shapes": bars, "annotations": notes,
        "xaxis": {"visible": False, "range": [-0.08, longest + 0.35]}, "yaxis": {"visible": False, "range": [-len(blocks), 0]},
    })  # fmt: skip


def _channels(block: Block) -> list[int]:
    """Of the tensors before, between and after the layers."""
    return [block.layers[0].inputs, *(layer.outputs for layer in block.layers)]


def _half(count: int, most: int) -> float:
    """Half the height of a tensor's bar; a stripe has the height 1."""
    return max(0.02, 0.24 * count / most)


def _bars(block: Block, top: float, most: int) -> list[dict[str, Any]]:
    """Bars in the stripe from `top` downwards."""
    middle = top - MIDDLE
    return [
        {"type": "rect", "x0": i, "x1": i + 0.07, "y0": middle - _half(count, most), "y1": middle + _half(count, most),
         "fillcolor": GREY, "line": {"width": 0}}
        for i, count in enumerate(_channels(block))
    ]  # fmt: skip


def _notes(block: Block, top: float, most: int) -> list[dict[str, Any]]:
    """Title, numbers of channels, arrows and kernels in the stripe from `top` downwards."""
    middle = top - MIDDLE
    plain = {"showarrow": False, "font": {"size": 14}}
    notes: list[dict[str, Any]] = [{"x": -0.05, "y": top - 0.1, "text": f"<b>{_(block.title)}</b>", "xanchor": "left", **plain}]
    if block.name in RESIDUAL_BLOCKS:
        notes.append({"x": len(block.layers) + 0.1, "y": middle, "text": "+ x", "xanchor": "left", **plain})
    for i, count in enumerate(_channels(block)):
        notes.append({"x": i + 0.035, "y": middle - _half(count, most) - 0.09, "text": str(count), **plain})
    for i, layer in enumerate(block.layers):
        notes.append({"x": i + 0.5, "y": middle + 0.17, "text": f"{layer.kernel}×{layer.kernel}", **plain})
        notes.append({
            "x": i + 0.95, "ax": i + 0.13, "y": middle, "ay": middle, "axref": "x", "ayref": "y", "text": "", "showarrow": True,
            "arrowcolor": KERNEL_COLOURS[layer.kernel], "arrowwidth": 1 + 1.5 * layer.kernel, "arrowhead": 2,
            "arrowsize": 0.6 if layer.kernel > 3 else 0.8,
        })  # fmt: skip
    return notes


def weights_figure(blocks: Sequence[Block]) -> go.Figure:
    """A bar a block, made of its layers' weights, in the colours of their kernels."""
    figure = go.Figure()
    for position in range(max(len(block.layers) for block in blocks)):
        shown = [block for block in blocks if len(block.layers) > position]
        layers = [block.layers[position] for block in shown]
        figure.add_trace(go.Bar(
            orientation="h", y=[_(block.title) for block in shown], x=[layer.weights for layer in layers],
            marker={"color": [KERNEL_COLOURS[layer.kernel] for layer in layers], "line": {"width": 2, "color": EDGE}},
            text=[f"{layer.kernel}×{layer.kernel} · {layer.weights:,}" for layer in layers], textposition="inside",
            insidetextanchor="middle", textfont={"color": "#16202a"},
            customdata=[f"{layer.kernel}²·{layer.inputs}·{layer.outputs}" for layer in layers],
            hovertemplate="%{customdata} = %{x:,}<extra></extra>",
        ))  # fmt: skip
    figure.update_layout(
        barmode="stack", height=58 + 48 * len(blocks), margin={"l": 0, "r": 16, "t": 4, "b": 0}, showlegend=False, bargap=0.3,
        xaxis={"title": _("Weights"), "rangemode": "tozero"}, yaxis={"autorange": "reversed", "title": None},
        uniformtext={"minsize": 11, "mode": "hide"},
    )  # fmt: skip
    return figure


def chain_figure(plain: NDArray[np.float64], residual: NDArray[np.float64]) -> go.Figure:
    """Size of the gradient after 0, 1, 2 … layers, on powers of ten. A gradient of exactly 0 has no place there."""
    figure = go.Figure()
    for line, name, colour in ((plain, _("plain: y = w·x"), PLAIN), (residual, _("residual: y = x + w·x"), RESIDUAL)):
        figure.add_trace(go.Scatter(
            x=np.arange(len(line)), y=np.where(line > 0, line, np.nan), name=name, mode="lines+markers",
            line={"color": colour, "width": 2.6}, marker={"size": 5}, hovertemplate="%{y:.3~g}",
        ))  # fmt: skip
    figure.update_layout(
        height=280, margin={"l": 0, "r": 8, "t": 6, "b": 0}, hovermode="x unified",
        xaxis={"title": _("Layers the gradient has gone back through")},
        yaxis={"title": _("Size of the gradient"), "type": "log", "exponentformat": "power", "nticks": 7},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )  # fmt: skip
    return figure

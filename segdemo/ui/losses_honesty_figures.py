"""Plots of the Honest metrics view: scores against the threshold, and reliability."""

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from segdemo.losslab.honesty import THRESHOLDS
from segdemo.metrics import Reliability
from segdemo.text import _
from segdemo.ui.loss_colours import colour_of

__all__ = ["reliability_figure", "sweep_figure"]

Scores = NDArray[np.float64]
DICE, IOU = colour_of("dice"), colour_of("iou")
PRECISION, RECALL = colour_of("bce"), colour_of("tversky")
SMALL_HEIGHT = 300
RULE = "rgba(128, 128, 128, 0.8)"


def sweep_figure(scores: dict[str, Scores], threshold: float, best: float | None) -> go.Figure:
    """Scores against the threshold: a dashed line where it stands, a star where Dice is best, if that is known."""
    looks = {
        "dice": ("Dice", DICE, "solid"), "iou": ("IoU", IOU, "solid"), "precision": (_("Precision"), PRECISION, "dot"),
        "recall": (_("Recall"), RECALL, "dot"),
    }  # fmt: skip
    figure = go.Figure()
    for key, (name, colour, dash) in looks.items():
        figure.add_trace(go.Scatter(
            x=THRESHOLDS, y=scores[key], name=name, mode="lines", line={"color": colour, "dash": dash, "width": 2.4},
            hovertemplate="%{y:.3f}",
        ))  # fmt: skip
    if best is not None:
        figure.add_trace(go.Scatter(
            x=[best], y=[np.interp(best, THRESHOLDS, scores["dice"])], mode="markers", hoverinfo="skip", showlegend=False,
            marker={"symbol": "star", "size": 15, "color": DICE, "line": {"width": 1, "color": "white"}},
        ))  # fmt: skip
    figure.add_vline(x=threshold, line_width=1, line_dash="dash", line_color=RULE)
    _small(figure)
    figure.update_xaxes(title=_("Threshold"), range=[0, 1], dtick=0.2, hoverformat=".2f")
    figure.update_yaxes(title=_("Score"), range=[0, 1.03], dtick=0.2)
    return figure


def reliability_figure(bins: Reliability, said: str) -> go.Figure:
    """How often it was so, against the probability said; below, how many pixels each bin holds."""
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.76, 0.24], vertical_spacing=0.04)
    known = bins.count > 0
    figure.add_trace(go.Scatter(
        x=[0, 1], y=[0, 1], mode="lines", line={"color": RULE, "dash": "dash"}, hoverinfo="skip", name=_("perfectly honest"),
    ), row=1, col=1)  # fmt: skip
    figure.add_trace(go.Scatter(
        x=bins.mean_prob[known], y=bins.frequency[known], mode="lines+markers", name=_("this network"),
        line={"color": PRECISION, "width": 2}, marker={"size": 8}, customdata=bins.count[known],
        hovertemplate=_("said {said}, was so {so}, {n} pixels", said="%{x:.3f}", so="%{y:.3f}", n="%{customdata:,}")
        + "<extra></extra>",
    ), row=1, col=1)  # fmt: skip
    count = len(bins.count)
    figure.add_trace(go.Bar(
        x=(np.arange(count) + 0.5) / count, y=np.where(known, bins.count, np.nan), width=0.92 / count, marker_color=PRECISION,
        opacity=0.55, showlegend=False, hovertemplate="%{y:,} px<extra></extra>",
    ), row=2, col=1)  # fmt: skip
    _small(figure)
    figure.update_layout(hovermode="closest")
    figure.update_xaxes(range=[0, 1.01], dtick=0.2)
    figure.update_xaxes(title=said, row=2, col=1)
    figure.update_yaxes(title=_("How often it was so"), range=[0, 1.03], dtick=0.5, row=1, col=1)
    figure.update_yaxes(title=_("Pixels"), type="log", exponentformat="power", dtick=2, row=2, col=1)
    return figure


def _small(figure: go.Figure) -> None:
    figure.update_layout(
        height=SMALL_HEIGHT, margin={"l": 0, "r": 8, "t": 6, "b": 0}, hovermode="x unified",
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 1, "xanchor": "right"},
    )  # fmt: skip

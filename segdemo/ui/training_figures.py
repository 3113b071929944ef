"""Curves of a training: the loss of each step, and the scores of each validation."""

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from segdemo.text import _
from segdemo.ui.loss_colours import colour_of

__all__ = ["loss_curve", "score_curve"]

SMOOTHING = 0.9
HEIGHT = 230


def loss_curve(rows: NDArray[np.float64], loss: str, steps: int) -> go.Figure:
    """rows (N, ≥ 2): step and loss. Thin as measured, thick as an exponential average."""
    colour = colour_of(loss)
    figure = go.Figure([
        go.Scatter(x=rows[:, 0], y=rows[:, 1], line={"color": colour, "width": 1}, opacity=0.35, hoverinfo="skip",
                   cliponaxis=False),
        go.Scatter(x=rows[:, 0], y=_smoothed(rows[:, 1]), line={"color": colour, "width": 2.5}, cliponaxis=False,
                   hovertemplate=_("step") + " %{x}: %{y:.4f}<extra></extra>"),
    ])  # fmt: skip
    _lay_out(figure, _("Loss"), steps)
    return figure


def score_curve(rows: NDArray[np.float64], score_name: str, steps: int) -> go.Figure:
    """rows (N, 3): step, IoU and Dice on the validation pictures."""
    figure = go.Figure([
        go.Scatter(x=rows[:, 0], y=rows[:, column], name=name, mode="lines+markers", line={"color": colour_of(loss)},
                   marker={"size": 5}, cliponaxis=False, hovertemplate=f"{name}, {_('step')} %{{x}}: %{{y:.3f}}<extra></extra>")
        for column, (name, loss) in enumerate(((score_name, "iou"), ("Dice", "dice")), start=1)
    ])  # fmt: skip
    _lay_out(figure, _("Score"), steps)
    figure.update_yaxes(range=[0, 1.02])
    figure.update_layout(  # the legend lies above the plot, where no curve runs
        showlegend=True, margin_t=26, legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1.0, "yanchor": "bottom"}
    )  # fmt: skip
    return figure


def _lay_out(figure: go.Figure, title: str, steps: int) -> None:
    figure.update_layout(height=HEIGHT, margin={"l": 0, "r": 10, "t": 8, "b": 0}, showlegend=False, uirevision="training")
    figure.update_xaxes(title=_("Step"), range=[0, max(1, steps)])
    figure.update_yaxes(title=title, rangemode="tozero")


def _smoothed(values: NDArray[np.float64]) -> list[float]:
    """Exponential average without a bias towards the beginning; NaN where a value is none."""
    smoothed, total, weight = [], 0.0, 0.0
    for value in values.tolist():
        if np.isfinite(value):
            total, weight = SMOOTHING * total + (1 - SMOOTHING) * value, SMOOTHING * weight + 1 - SMOOTHING
        smoothed.append(total / weight if weight else float("nan"))
    return smoothed

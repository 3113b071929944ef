"""Plots of the Curves view: what a loss costs and how hard it pulls, against p. Theme fonts, one colour a loss."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from segdemo.losslab.curves import Curve
from segdemo.text import _
from segdemo.ui.loss_colours import colour_of, title_of

__all__ = ["Respect", "gradient_figure", "value_figure"]

Respect = Literal["logit", "prob"]
Line = NDArray[np.float64]
HEIGHT = 310
WIDTHS = (3.4, 1.8)  # of lines, from the first drawn to the last: where two coincide, both are seen
DASHES = {"foreground": "solid", "region": "solid", "background": "dot"}
SCALED_TO = (0.1, 0.9)  # the p whose values a linear axis must hold; beyond them cross entropy goes to infinity
MARGIN = 0.07
RULE = "rgba(128, 128, 128, 0.8)"


def value_figure(curves: Sequence[Curve], at: float, log: bool) -> go.Figure:
    """The losses' values against p; of a region with a dot where each is lowest."""
    figure = go.Figure()
    for curve, width in zip(curves, _widths(curves), strict=True):
        for truth, line in curve.value.items():
            figure.add_trace(_trace(curve, truth, line, log, width))
        if "region" in curve.value:
            figure.add_trace(_lowest(curve))
    lines = [(curve.p, line) for curve in curves for line in curve.value.values()]
    return _finished(figure, lines, at, _("Loss"), log)


def gradient_figure(curves: Sequence[Curve], at: float, respect: Respect, log: bool) -> go.Figure:
    """One pixel's gradients against p; on a logarithmic axis their size."""
    figure, lines = go.Figure(), []
    for curve, width in zip(curves, _widths(curves), strict=True):
        for truth, line in (curve.by_logit if respect == "logit" else curve.by_prob).items():
            shown = np.abs(line) if log else line
            figure.add_trace(_trace(curve, truth, shown, log, width))
            lines.append((curve.p, shown))
    word = _("Size of the gradient") if log else _("Gradient")
    by = _("with respect to the logit") if respect == "logit" else _("with respect to p")
    return _finished(figure, lines, at, f"{word} {by}", log)


def _trace(curve: Curve, truth: str, line: Line, log: bool, width: float) -> go.Scatter:
    words = {"foreground": _("foreground"), "background": _("background"), "region": ""}
    name = " · ".join(part for part in (title_of(curve.name), words[truth]) if part)
    y = np.where(line > 0, line, np.nan) if log else line
    return go.Scatter(
        x=curve.p, y=y, name=name, mode="lines", line={"color": colour_of(curve.name), "dash": DASHES[truth], "width": width},
        hovertemplate="%{y:.3~g}",
    )  # fmt: skip


def _widths(curves: Sequence[Curve]) -> Sequence[float]:
    return [2.6] if len(curves) == 1 else np.linspace(*WIDTHS, len(curves)).tolist()


def _lowest(curve: Curve) -> go.Scatter:
    place = curve.lowest
    return go.Scatter(
        x=[place], y=[np.interp(place, curve.p, curve.value["region"])], mode="markers", hoverinfo="skip", showlegend=False,
        marker={"color": colour_of(curve.name), "size": 10, "line": {"width": 1.5, "color": "white"}}, cliponaxis=False,
    )  # fmt: skip


def _finished(figure: go.Figure, lines: Sequence[tuple[Line, Line]], at: float, title: str, log: bool) -> go.Figure:
    powers = {"type": "log", "exponentformat": "power", "dtick": 1}
    figure.update_layout(
        height=HEIGHT, margin={"l": 0, "r": 8, "t": 26, "b": 0}, showlegend=False, hovermode="x unified",
        title={"text": title, "x": 0, "font": {"size": 14}, "y": 0.99, "yanchor": "top"},
        xaxis={"title": _("Predicted probability p of foreground"), "range": [0, 1], "hoverformat": ".3~g", "dtick": 0.2},
        yaxis=powers if log else {"range": _range(lines), "zeroline": True, "zerolinewidth": 1, "zerolinecolor": RULE},
        shapes=[{
            "type": "line", "x0": at, "x1": at, "yref": "paper", "y0": 0, "y1": 1,
            "line": {"width": 1, "dash": "dash", "color": RULE},
        }],
    )  # fmt: skip
    return figure


def _range(lines: Sequence[tuple[Line, Line]]) -> list[float]:
    """Of a linear axis: what the lines are between the ends of p, with 0."""
    inner = [line[(p >= SCALED_TO[0]) & (p <= SCALED_TO[1])] for p, line in lines]
    values = np.concatenate([*inner, [0.0]])
    low, high = float(values.min()), float(values.max())
    spare = MARGIN * max(high - low, 1e-3)
    return [low - spare if low < 0 else -spare / 2, high + spare]

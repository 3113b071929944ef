"""Plots of the normalise view: curves of activations, running statistics, probabilities against temperature."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from segdemo.layerlab.activations import ACTIVATIONS
from segdemo.layerlab.softmax import softmax
from segdemo.layerlab.softmax_scene import CLASS_TINTS
from segdemo.text import _
from segdemo.ui.layers_colours import BLUE, GREEN, PINK, RULE, SERIES, SKY, TINTS, VERMILION

__all__ = ["activation_figure", "running_figure", "temperature_figure"]

Float = NDArray[np.float64]
COLOURS = {"relu": BLUE, "leaky_relu": SKY, "sigmoid": VERMILION, "tanh": GREEN, "gelu": PINK}
DASHES = {"leaky_relu": "7px,7px", "gelu": "2px,4px"}  # of those that lie on ReLU
REACH = 6.0
SHOWN = {False: (-1.5, 3.0), True: (-0.3, 1.25)}  # of values and gradients; ReLU goes on


def activation_figure(names: Sequence[str], slope: float, at: float, gradient: bool) -> go.Figure:
    """Values, or gradients, of activations from −6 to 6, with a ring on each at x = `at`. None hides another: where curves
    are one, the upper has dashes, and rings lie in each other.
    """
    x, point = np.linspace(-REACH, REACH, 481), np.array([at])
    figure = go.Figure()
    for width, size, name in zip(np.linspace(4.2, 2, len(names)), np.linspace(17, 7, len(names)), names, strict=True):
        function = ACTIVATIONS[name].gradient if gradient else ACTIVATIONS[name].value
        line = {"color": COLOURS[name], "width": float(width), "dash": DASHES.get(name, "solid")}
        figure.add_trace(
            go.Scatter(x=x, y=function(x, slope), name=ACTIVATIONS[name].title, line=line, hovertemplate="%{y:.3~g}")
        )
        figure.add_trace(go.Scatter(
            x=point, y=function(point, slope), mode="markers", showlegend=False, hoverinfo="skip",
            marker={"color": COLOURS[name], "symbol": "circle-open", "size": float(size), "line": {"width": 2.5}},
        ))  # fmt: skip
    figure.update_layout(
        height=330, margin={"l": 0, "r": 8, "t": 28, "b": 0}, hovermode="x unified",
        title={"text": _("Gradient") if gradient else _("Value"), "x": 0, "font": {"size": 14}, "y": 0.99, "yanchor": "top"},
        xaxis={"title": _("Input x"), "range": [-REACH, REACH], "dtick": 2},
        yaxis={"range": SHOWN[gradient], "zeroline": True, "zerolinecolor": RULE, "zerolinewidth": 1},
        shapes=[{"type": "line", "x0": at, "x1": at, "yref": "paper", "y0": 0, "y1": 1,
                 "line": {"width": 1, "dash": "dash", "color": RULE}}],
        legend={"x": 0.02, "y": 0.98, "bgcolor": "rgba(0,0,0,0)"}, showlegend=not gradient,
    )  # fmt: skip
    return figure


def running_figure(lines: Float, targets: Float, title: str) -> go.Figure:
    """Running values (batches + 1, C) after each batch, and dotted what the batch has (C,)."""
    figure = go.Figure()
    for channel, target in enumerate(targets):
        colour = SERIES[channel % len(SERIES)]
        figure.add_trace(go.Scatter(
            y=lines[:, channel], name=_("channel {n}", n=channel), mode="lines+markers", marker={"size": 5},
            line={"color": colour, "width": 2.2}, hovertemplate="%{y:.3~g}",
        ))  # fmt: skip
        figure.add_trace(go.Scatter(
            x=[0, len(lines) - 1], y=[target] * 2, mode="lines", line={"color": colour, "width": 1.3, "dash": "dot"},
            showlegend=False, hoverinfo="skip",
        ))  # fmt: skip
    figure.update_layout(
        height=280, margin={"l": 0, "r": 8, "t": 28, "b": 0}, hovermode="x unified",
        title={"text": title, "x": 0, "font": {"size": 14}, "y": 0.99, "yanchor": "top"},
        xaxis={"title": _("Batches seen"), "rangemode": "tozero"}, legend={"orientation": "h", "y": -0.32, "yanchor": "top"},
    )  # fmt: skip
    return figure


def temperature_figure(logits: Float, at: float) -> go.Figure:
    """The probability of every class against the temperature, from 0.1 to 10, in the colours of the cells."""
    temperatures = np.geomspace(0.1, 10, 121)
    probs = np.stack([softmax(logits, temperature) for temperature in temperatures])
    figure = go.Figure()
    for number in range(len(logits)):
        line = {"color": TINTS[CLASS_TINTS[number % len(CLASS_TINTS)]], "width": 2.6}
        figure.add_trace(
            go.Scatter(x=temperatures, y=probs[:, number], name=_("class {n}", n=number), line=line, hovertemplate="%{y:.3f}")
        )
    figure.update_layout(
        height=260, margin={"l": 0, "r": 8, "t": 6, "b": 0}, hovermode="x unified",
        xaxis={"title": _("Temperature"), "type": "log", "tickvals": [0.1, 0.2, 0.5, 1, 2, 5, 10], "hoverformat": ".2~f"},
        yaxis={"title": _("Probability"), "range": [-0.03, 1.03]},
        shapes=[{"type": "line", "x0": at, "x1": at, "yref": "paper", "y0": 0, "y1": 1,
                 "line": {"width": 1, "dash": "dash", "color": RULE}}],
    )  # fmt: skip
    return figure

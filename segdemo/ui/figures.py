"""Plots. They take their fonts and colours from the theme; a class keeps the colour it has on the picture."""

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from segdemo.text import _
from segdemo.types import ClassInfo

__all__ = ["size_distribution"]


def size_distribution(diameters: NDArray[np.float64], info: ClassInfo) -> go.Figure:
    """Histogram of object diameters in pixels, binned here so that the figure stays small for thousands of objects."""
    counts, edges = np.histogram(diameters, bins=min(30, max(5, int(np.sqrt(len(diameters)) * 2))))
    bars = go.Bar(
        x=(edges[:-1] + edges[1:]) / 2, y=counts, width=np.diff(edges) * 0.92, marker_color="rgb({}, {}, {})".format(*info.color),
        customdata=np.stack([edges[:-1], edges[1:]], axis=1),
        hovertemplate="%{customdata[0]:.0f}–%{customdata[1]:.0f} px: %{y}<extra></extra>",
    )  # fmt: skip
    figure = go.Figure(bars)
    figure.update_layout(height=230, margin={"l": 0, "r": 0, "t": 10, "b": 0}, showlegend=False)
    figure.update_xaxes(title=_("Diameter in pixels"))
    figure.update_yaxes(title=_("Objects"), rangemode="tozero")
    return figure

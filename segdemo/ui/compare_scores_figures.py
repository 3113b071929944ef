"""The charts of an evaluation: thresholds, calibration, objects. A line a candidate, in its colour and under its title."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from segdemo.evaluation.colours import DASHES
from segdemo.evaluation.scores.results import CandidateResult, Evaluation
from segdemo.evaluation.scores.series import calibration_means, curve_floor, known_curve
from segdemo.metrics import CHALLENGE_THRESHOLDS, expected_calibration_error
from segdemo.text import _
from segdemo.ui.compare_colours import GRID, RULE, SYMBOLS
from segdemo.ui.words import plot_text

__all__ = ["object_figure", "precision_recall_figure", "reliability_figure"]

HEIGHT = 340


def precision_recall_figure(evaluation: Evaluation, titles: Sequence[str], colours: Sequence[str]) -> go.Figure:
    """Precision against recall at every threshold, a star at the one with the best IoU and a ring at the one in use; only
    candidates that have such a curve. Without any, a figure without traces."""
    figure = go.Figure()
    for result, title, colour, dash in zip(evaluation.results, map(plot_text, titles), colours, DASHES, strict=False):
        if (curve := known_curve(evaluation, result)) is None:
            continue
        figure.add_scatter(
            x=curve.recall, y=curve.precision, name=f"{title} · AP {curve.average_precision:.3f}", legendgroup=title,
            mode="lines", line={"color": colour, "width": 2.2, "dash": _dash(dash)}, customdata=curve.thresholds,
            hovertemplate=_("threshold {t}: precision {p}, recall {r}", t="%{customdata:.2f}", p="%{y:.3f}", r="%{x:.3f}")
            + f"<extra>{title}</extra>",
        )  # fmt: skip
        for place, symbol, size in ((curve.best, "star", 15), (curve.in_use, "circle-open", 11)):
            figure.add_scatter(
                x=[curve.recall[place]], y=[curve.precision[place]], mode="markers", legendgroup=title, showlegend=False,
                marker={"symbol": symbol, "size": size, "color": colour, "line": {"width": 1.5, "color": colour}},
                hovertemplate=_("threshold {t}: IoU {iou}", t=f"{curve.thresholds[place]:.2f}", iou=f"{curve.iou[place]:.3f}")
                + f"<extra>{title}</extra>",
            )  # fmt: skip
    _finish(figure)
    low = curve_floor(known_curve(evaluation, result) for result in evaluation.results)
    figure.update_xaxes(title=_("Recall"), range=[low, 1.01], dtick=0.2 if low < 0.5 else 0.1)
    figure.update_yaxes(title=_("Precision"), range=[low, 1.02], dtick=0.2 if low < 0.5 else 0.1)
    return figure


def reliability_figure(evaluation: Evaluation, titles: Sequence[str], colours: Sequence[str]) -> go.Figure:
    """How often it was so, against the probability said; below, how many pixels each bin holds. ECE in the legend."""
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.76, 0.24], vertical_spacing=0.05)
    figure.add_trace(go.Scatter(
        x=[0, 1], y=[0, 1], mode="lines", line={"color": RULE, "dash": "dash"}, hoverinfo="skip", name=_("perfectly honest"),
    ), row=1, col=1)  # fmt: skip
    for result, title, colour, symbol in zip(evaluation.results, titles, colours, SYMBOLS, strict=False):
        for trace, row in zip(_reliability_traces(result, plot_text(title), colour, symbol), (1, 2), strict=True):
            figure.add_trace(trace, row=row, col=1)
    _finish(figure)
    figure.update_xaxes(range=[0, 1.01], dtick=0.2)
    figure.update_xaxes(title=_("Probability said"), row=2, col=1)
    figure.update_yaxes(title=_("Share that was so"), range=[0, 1.03], dtick=0.5, row=1, col=1)
    figure.update_yaxes(title=_("Pixels"), type="log", exponentformat="power", dtick=2, row=2, col=1)
    return figure


def _reliability_traces(result: CandidateResult, title: str, colour: str, symbol: str) -> tuple[go.Scatter, go.Scatter]:
    bins = result.reliability
    said, was, count = calibration_means(bins)
    curve = go.Scatter(
        x=said, y=was, mode="lines+markers", name=f"{title} · ECE {expected_calibration_error(bins):.3f}", legendgroup=title,
        line={"color": colour, "width": 2}, marker={"size": 7, "symbol": symbol}, customdata=count,
        hovertemplate=_("said {said}, was so {so}, {n} pixels", said="%{x:.3f}", so="%{y:.3f}", n="%{customdata:,}")
        + f"<extra>{title}</extra>",
    )  # fmt: skip
    edges = np.linspace(0, 1, len(bins.count) + 1)
    steps = np.where(bins.count > 0, bins.count, np.nan)
    steps = np.append(steps, steps[-1:])  # the last bin's right edge
    pixels = go.Scatter(
        x=edges, y=steps, mode="lines", line={"color": colour, "width": 1.6, "shape": "hv"}, legendgroup=title, showlegend=False,
        hovertemplate=f"%{{y:,}} px<extra>{title}</extra>",
    )  # fmt: skip
    return curve, pixels


def object_figure(evaluation: Evaluation, titles: Sequence[str], colours: Sequence[str]) -> go.Figure:
    """TP / (TP + FP + FN) of the objects of all pictures at each IoU threshold."""
    figure = go.Figure()
    for result, title, colour, symbol in zip(evaluation.results, titles, colours, SYMBOLS, strict=False):
        counts = np.sum([scores.objects.at_thresholds for scores in result.pictures], axis=0) if result.pictures else None
        if counts is None or not counts.sum():
            continue
        precision = counts[:, 0] / np.maximum(1, counts.sum(axis=1))
        figure.add_scatter(
            x=CHALLENGE_THRESHOLDS, y=precision, mode="lines+markers", name=plot_text(title),
            line={"color": colour, "width": 2.2}, marker={"size": 7, "symbol": symbol},
            hovertemplate=f"IoU ≥ %{{x:.2f}}: %{{y:.3f}}<extra>{plot_text(title)}</extra>",
        )  # fmt: skip
    _finish(figure, 300)
    figure.update_layout(showlegend=True)
    figure.update_xaxes(title=_("IoU that counts as found"), dtick=0.1)
    figure.update_yaxes(title=_("Object precision"), rangemode="tozero")
    return figure


def _dash(lengths: str) -> str:
    """SVG's "7 3" as Plotly writes it."""
    return lengths.replace(" ", "px,") + "px" if lengths else "solid"


def _finish(figure: go.Figure, height: int = HEIGHT) -> None:
    figure.update_layout(
        height=height, margin={"l": 0, "r": 8, "t": 6, "b": 0}, hovermode="closest",
        paper_bgcolor="rgba(0, 0, 0, 0)", plot_bgcolor="rgba(0, 0, 0, 0)",
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "xanchor": "left"},
    )  # fmt: skip
    figure.update_xaxes(gridcolor=GRID, zeroline=False)
    figure.update_yaxes(gridcolor=GRID, zeroline=False)

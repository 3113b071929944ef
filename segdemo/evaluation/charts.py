"""The charts of an evaluation for the page: transparent, in the colours and fonts they are given. The report draws its own."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from segdemo.evaluation.results import CandidateResult, Evaluation
from segdemo.evaluation.rows import picture_scores
from segdemo.evaluation.series import calibration_means, curve_floor, known_curve, ordered_pictures, row_shares
from segdemo.metrics import expected_calibration_error
from segdemo.text import _

__all__ = ["CANDIDATE_COLOURS", "confusion_figure", "picture_figure", "precision_recall_figure", "reliability_figure"]

# After Okabe–Ito and Paul Tol, in tones that are seen on light and on dark; none of those that mark right and wrong pixels.
CANDIDATE_COLOURS = ("#2f86d1", "#d55e00", "#009e73", "#8a6fd8", "#b09a1c", "#8a939c")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x")
RULE = "rgba(128, 128, 128, 0.8)"
GRID = "rgba(128, 128, 128, 0.2)"
HEIGHT = 340
MAX_WRITTEN = 10  # classes: beyond it, the numbers of a confusion matrix are read by hovering


def precision_recall_figure(evaluation: Evaluation, colours: Sequence[str], *, font: str = "") -> go.Figure:
    """Precision against recall at every threshold, a star at the one with the best IoU and a ring at the one in use; only
    candidates that have such a curve. Without any, a figure without traces."""
    figure = go.Figure()
    for index, result in enumerate(evaluation.results):
        if (curve := known_curve(evaluation, result)) is None:
            continue
        key, colour = result.candidate.key, colours[index]
        figure.add_trace(go.Scatter(
            x=curve.recall, y=curve.precision, name=f"{key} · AP {curve.average_precision:.3f}", legendgroup=key,
            line={"color": colour, "width": 2.2}, customdata=curve.thresholds,
            hovertemplate=_("threshold {t}: precision {p}, recall {r}", t="%{customdata:.2f}", p="%{y:.3f}", r="%{x:.3f}")
            + f"<extra>{_escaped(key)}</extra>",
        ))  # fmt: skip
        for place, symbol, size in ((curve.best, "star", 15), (curve.in_use, "circle-open", 11)):
            if place is not None:
                figure.add_trace(go.Scatter(
                    x=[curve.recall[place]], y=[curve.precision[place]], mode="markers", legendgroup=key, showlegend=False,
                    marker={"symbol": symbol, "size": size, "color": colour, "line": {"width": 1.5, "color": colour}},
                    hovertemplate=_("threshold {t}: IoU {iou}", t=f"{curve.thresholds[place]:.2f}", iou=f"{curve.iou[place]:.3f}")
                    + f"<extra>{_escaped(key)}</extra>",
                ))  # fmt: skip
    _finish(figure, font)
    low = curve_floor(known_curve(evaluation, result) for result in evaluation.results)
    figure.update_xaxes(title=_("Recall"), range=[low, 1.01], dtick=0.2 if low < 0.5 else 0.1)
    figure.update_yaxes(title=_("Precision"), range=[low, 1.02], dtick=0.2 if low < 0.5 else 0.1)
    return figure


def reliability_figure(evaluation: Evaluation, colours: Sequence[str], *, font: str = "") -> go.Figure:
    """How often it was so, against the probability said; below, how many pixels each bin holds. ECE in the legend."""
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.76, 0.24], vertical_spacing=0.05)
    figure.add_trace(go.Scatter(
        x=[0, 1], y=[0, 1], mode="lines", line={"color": RULE, "dash": "dash"}, hoverinfo="skip", name=_("perfectly honest"),
    ), row=1, col=1)  # fmt: skip
    for result, colour, symbol in zip(evaluation.results, colours, SYMBOLS, strict=False):
        for trace, row in zip(_reliability_traces(result, colour, symbol), (1, 2), strict=True):
            figure.add_trace(trace, row=row, col=1)
    _finish(figure, font)
    figure.update_xaxes(range=[0, 1.01], dtick=0.2)
    figure.update_xaxes(title=_("Probability said"), row=2, col=1)
    figure.update_yaxes(title=_("Share that was so"), range=[0, 1.03], dtick=0.5, row=1, col=1)
    figure.update_yaxes(title=_("Pixels"), type="log", exponentformat="power", dtick=2, row=2, col=1)
    return figure


def _reliability_traces(result: CandidateResult, colour: str, symbol: str) -> tuple[go.Scatter, go.Scatter]:
    bins, key = result.reliability, result.candidate.key
    said, was, count = calibration_means(bins)
    curve = go.Scatter(
        x=said, y=was, mode="lines+markers", name=f"{key} · ECE {expected_calibration_error(bins):.3f}", legendgroup=key,
        line={"color": colour, "width": 2}, marker={"size": 7, "symbol": symbol}, customdata=count,
        hovertemplate=_("said {said}, was so {so}, {n} pixels", said="%{x:.3f}", so="%{y:.3f}", n="%{customdata:,}")
        + f"<extra>{_escaped(key)}</extra>",
    )  # fmt: skip
    edges = np.linspace(0, 1, len(bins.count) + 1)
    steps = np.where(bins.count > 0, bins.count, np.nan)
    steps = np.append(steps, steps[-1:])  # the last bin's right edge
    pixels = go.Scatter(
        x=edges, y=steps, mode="lines", line={"color": colour, "width": 1.6, "shape": "hv"}, legendgroup=key, showlegend=False,
        hovertemplate=f"%{{y:,}} px<extra>{_escaped(key)}</extra>",
    )  # fmt: skip
    return curve, pixels


def confusion_figure(evaluation: Evaluation, candidate_index: int, colours: Sequence[str], *, font: str = "") -> go.Figure:
    """Pixels by true class (rows) and predicted class (columns), coloured by their share of the row. customdata: both classes."""
    result = evaluation.results[candidate_index]
    names = [info.name for info in evaluation.classes]
    shares, count = row_shares(result.matrix), len(names)
    places = np.indices((count, count)).transpose(1, 2, 0)
    written = [[f"{s:.1%}<br>{n:,}" if np.isfinite(s) else "" for s, n in zip(*row, strict=True)]
               for row in zip(shares, result.matrix, strict=True)]  # fmt: skip
    heat = go.Heatmap(
        z=shares, x=list(range(count)), y=list(range(count)), zmin=0, zmax=1, customdata=places, text=written, showscale=False,
        colorscale=[[0, "rgba(128, 128, 128, 0.08)"], [1, colours[candidate_index]]], xgap=2, ygap=2, hoverongaps=False,
        texttemplate="%{text}" if count <= MAX_WRITTEN else None, hovertemplate="%{text}<extra></extra>",
    )  # fmt: skip
    figure = go.Figure(heat)
    _finish(figure, font)
    labels = [_escaped(name) for name in names]
    figure.update_layout(height=max(HEIGHT, 26 * count + 90), showlegend=False)
    figure.update_xaxes(title=_("Predicted class"), tickvals=list(range(count)), ticktext=labels, showgrid=False)
    figure.update_yaxes(title=_("True class"), tickvals=list(range(count)), ticktext=labels, autorange="reversed", showgrid=False)
    return figure


def picture_figure(evaluation: Evaluation, colours: Sequence[str], *, score: str = "iou", font: str = "") -> go.Figure:
    """A dot for each candidate and picture, the pictures sorted by their mean, the worst at the left. customdata: the name."""
    names = ordered_pictures(evaluation, score)
    values = picture_scores(evaluation, score)
    figure = go.Figure()
    for index, result in enumerate(evaluation.results):
        figure.add_trace(go.Scatter(
            x=list(range(1, len(names) + 1)), y=[values[name].get(index) for name in names], mode="markers",
            name=result.candidate.key, customdata=names, text=[_escaped(name) for name in names],
            marker={"color": colours[index], "size": 7, "symbol": SYMBOLS[index % len(SYMBOLS)], "opacity": 0.85},
            hovertemplate="%{text}: %{y:.3f}<extra>" + _escaped(result.candidate.key) + "</extra>",
        ))  # fmt: skip
    _finish(figure, font)
    figure.update_xaxes(title=_("Pictures, the worst first"), rangemode="tozero")
    title = {"iou": "IoU", "dice": "Dice", "precision": _("Precision"), "recall": _("Recall")}[score]
    figure.update_yaxes(title=title, range=[-0.02, 1.02], dtick=0.2)
    return figure


def _escaped(text: str) -> str:
    """Plotly reads a little HTML in its labels; names from files are not meant to be any."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _finish(figure: go.Figure, font: str) -> None:
    figure.update_layout(
        height=HEIGHT, margin={"l": 0, "r": 8, "t": 6, "b": 0}, hovermode="closest",
        paper_bgcolor="rgba(0, 0, 0, 0)", plot_bgcolor="rgba(0, 0, 0, 0)", **({"font": {"family": font}} if font else {}),
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "xanchor": "left"},
    )  # fmt: skip
    figure.update_xaxes(gridcolor=GRID, zeroline=False)
    figure.update_yaxes(gridcolor=GRID, zeroline=False)

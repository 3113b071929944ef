"""Score against cost, with the Pareto front: what is on it is filled, what is beaten is hollow, what is open has a dot."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import plotly.graph_objects as go

from segdemo.evaluation.pareto import pareto_front
from segdemo.text import _
from segdemo.ui.compare_colours import RULE
from segdemo.ui.words import plot_text

__all__ = ["HEIGHT", "Point", "cost_scatter", "fronts", "spans_decades", "undecided"]

HEIGHT = 380
WIDTH, LETTER = 330, 6.6  # pixels of a narrow plot and of a letter: what labels are placed by
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "star")  # of data sets; each has an open form
LOG_FROM = 10.0
PLACES = {"top center": 0.0, "bottom center": 20.0, "middle right": 160.0, "middle left": 160.0}  # lines run left and right
Ends = tuple[float, float]
Box = tuple[float, float, float, float]  # left, bottom, right, top in pixels
LONGEST = 18  # letters of a label on one line
TICKS = 12.0  # pixels of the axis' margin that a label may reach into


@dataclass(frozen=True)
class Point:
    """One candidate. low, high: quartiles of the cost, equal to it where it is exact. group: scores of one group compare."""

    label: str
    colour: str
    cost: float
    low: float
    high: float
    score: float
    group: str = ""

    @property
    def known(self) -> bool:
        return math.isfinite(self.cost) and math.isfinite(self.score)


def spans_decades(costs: Sequence[float]) -> bool:
    """Whether the costs differ so much that only a logarithmic axis shows them all."""
    known = [cost for cost in costs if math.isfinite(cost)]
    return bool(known) and min(known) > 0 and max(known) > LOG_FROM * min(known)


def fronts(points: Sequence[Point]) -> dict[str, list[int]]:
    """The Pareto front of each group, as indices of its points from cheap to costly."""
    found: dict[str, list[int]] = {}
    for group in dict.fromkeys(point.group for point in points if point.known):
        costs = [point.cost if point.group == group else math.nan for point in points]
        found[group] = pareto_front(costs, [point.score for point in points])
    return found


def undecided(points: Sequence[Point]) -> set[int]:
    """Indices of those of which the spread of the costs leaves open whether they are on the front of their group.

    One is beaten for sure by what scores no worse and whose upper quartile is below its lower one; it is on the front for
    sure where nothing that scores no worse could be cheaper. Exact costs leave nothing open.
    """
    known = [i for i, point in enumerate(points) if point.known]
    found = set()
    for index in known:
        others = [points[i] for i in known if i != index and points[i].group == points[index].group]
        could = any(_beaten(points[index], other, surely=False) for other in others)
        if could and not any(_beaten(points[index], other, surely=True) for other in others):
            found.add(index)
    return found


def _beaten(point: Point, other: Point, *, surely: bool) -> bool:
    """Whether the other surely, or possibly, takes less for at least the same score, or the same for a better one."""
    if other.score < point.score:
        return False
    if (other.low, other.cost, other.high) == (point.low, point.cost, point.high):  # exact, or the same measurements
        return other.score > point.score
    return other.high < point.low if surely else other.low < point.high


def cost_scatter(points: Sequence[Point], axis: str, unit: str, score_name: str) -> go.Figure:
    """A point a candidate, a stepped line a front: below and right of it, something better or cheaper exists."""
    shown = [point for point in points if point.known]
    log = spans_decades([point.cost for point in shown])
    xs, ys = _cost_range(shown, log), _score_range(shown)
    figure = go.Figure()
    found, rough = fronts(points), undecided(points)
    for group, front in found.items():
        end = 10 ** xs[1] if log else xs[1]
        _add_front(
            figure,
            [points[i] for i in front],
            end,
            group if len(found) > 1 else "",
            rough=any(points[i].group == group for i in rough),
        )
    best = {i for front in found.values() for i in front} - rough
    marks = ["" if i in best else "-open-dot" if i in rough else "-open" for i, point in enumerate(points) if point.known]
    corners = [[points[i] for i in front] for front in found.values()]
    places = _label_places(shown, corners, xs, ys, log)
    symbols = dict(zip(found, SYMBOLS, strict=False))
    for point, place, mark in zip(shown, places, marks, strict=True):
        _add_point(figure, point, symbols[point.group] + mark, place, unit)
    figure.update_layout(
        height=HEIGHT, margin={"l": 0, "r": 8, "t": 8, "b": 0}, showlegend=len(found) > 1, hovermode="closest",
        legend={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"},
    )  # fmt: skip
    figure.update_xaxes(title=f"{axis} ({unit})", type="log" if log else "linear", range=xs, zeroline=False)
    if log:
        ticks = [step * 10.0**power for power in range(-6, 9) for step in (1, 2, 5)]
        figure.update_xaxes(tickvals=ticks, ticktext=[f"{tick:g}" for tick in ticks])
    figure.update_yaxes(title=plot_text(score_name), range=ys, zeroline=False)
    return figure


def _add_front(figure: go.Figure, front: list[Point], end: float, group: str, *, rough: bool) -> None:
    """The stairs. rough: dashed, as the spread of the costs leaves open how they run."""
    name = _("Pareto front: {group}", group=plot_text(group)) if group else _("Pareto front")
    figure.add_scatter(
        x=[*(p.cost for p in front), end], y=[*(p.score for p in front), front[-1].score], mode="lines", name=name,
        line={"color": RULE, "width": 1.6, "shape": "hv", "dash": "dash" if rough else "solid"}, hoverinfo="skip",
    )  # fmt: skip


def _add_point(figure: go.Figure, point: Point, symbol: str, place: str, unit: str) -> None:
    spread = {
        "type": "data", "array": [point.high - point.cost], "arrayminus": [point.cost - point.low], "thickness": 1.5, "width": 4,
    }  # fmt: skip
    figure.add_scatter(
        x=[point.cost], y=[point.score], mode="markers+text", text=[_wrapped(plot_text(point.label))], textposition=place,
        showlegend=False,
        marker={"symbol": symbol, "size": 15, "color": point.colour, "line": {"width": 2.5, "color": point.colour}},
        error_x=spread if point.high > point.low else None, cliponaxis=False,
        hovertemplate=f"%{{x:.3g}} {unit} · %{{y:.3f}}<extra>{plot_text(point.label)}</extra>",
    )  # fmt: skip


def _cost_range(points: Sequence[Point], log: bool) -> tuple[float, float]:
    """From nothing to beyond the costliest; of a logarithmic axis the exponents, with room on both sides."""
    high = max(point.high for point in points)
    if not log:
        return 0.0, 1.14 * high or 1.0
    low = min(point.low for point in points)
    room = 0.14 * math.log10(high / low)
    return math.log10(low) - room, math.log10(high) + room


def _score_range(points: Sequence[Point]) -> tuple[float, float]:
    """From a little below to a little above all scores, with room for the labels."""
    low, high = min(point.score for point in points), max(point.score for point in points)
    room = max(0.1 * (high - low), 0.002) * (1 + max(_wrapped(point.label).count("<br>") + 1 for point in points))
    return low - room, high + room


def _label_places(points: Sequence[Point], stairs: Sequence[list[Point]], xs: Ends, ys: Ends, log: bool) -> list[str]:
    """Where each label stands so that it covers no other label, point or line, as far as there is such a place."""

    def across(cost: float) -> float:
        return _share(math.log10(cost) if log else cost, xs) * WIDTH

    def up(score: float) -> float:
        return _share(score, ys) * (HEIGHT - 60)

    centres = [(across(point.cost), up(point.score)) for point in points]
    taken: list[Box] = [(x - 9, y - 9, x + 9, y + 9) for x, y in centres]
    taken += [(across(point.low), up(point.score) - 4, across(point.high), up(point.score) + 4) for point in points]
    for front in stairs:
        for here, there in pairwise(front):  # the steps upwards; along the others run the error bars
            taken.append((across(there.cost) - 6, up(here.score), across(there.cost) + 6, up(there.score)))
    places = []
    for (x, y), point in zip(centres, points, strict=True):
        lines = _wrapped(point.label).split("<br>")
        boxes = {place: _box(x, y, (LETTER * max(map(len, lines)), 16.0 * len(lines)), place) for place in PLACES}
        best = min(PLACES, key=lambda place: PLACES[place] + _covered(boxes[place], taken) + _outside(boxes[place]))
        taken.append(boxes[best])
        places.append(best)
    return places


def _share(value: float, ends: Ends) -> float:
    return (value - ends[0]) / (ends[1] - ends[0])


def _wrapped(label: str) -> str:
    """A long label on a line for each of its parts."""
    return label.replace(" · ", "<br>") if len(label) > LONGEST else label


def _box(x: float, y: float, size: tuple[float, float], place: str) -> Box:
    """The rectangle of a label (left, bottom, right, top), in pixels."""
    (width, height), (vertical, horizontal) = size, place.split(" ")
    bottom = {"top": y + 9, "bottom": y - 9 - height, "middle": y - height / 2}[vertical]
    left = {"center": x - width / 2, "right": x + 11, "left": x - 11 - width}[horizontal]
    return left, bottom, left + width, bottom + height


def _covered(box: Box, others: Sequence[Box]) -> float:
    """Square pixels of the box that others take."""
    left, bottom, right, top = np.array(others).T
    wide = np.minimum(right, box[2]) - np.maximum(left, box[0])
    high = np.minimum(top, box[3]) - np.maximum(bottom, box[1])
    return float((wide.clip(0) * high.clip(0)).sum())


def _outside(box: Box) -> float:
    return 16 * (max(0.0, -TICKS - box[0]) + max(0.0, box[2] - WIDTH))

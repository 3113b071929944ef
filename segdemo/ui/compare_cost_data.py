"""The Cost view's numbers: one row a candidate, its score with where that comes from, and the axes to choose from."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from segdemo.evaluation.candidate import Candidate, entry_of
from segdemo.evaluation.cost import Cost, Phase, relative_time
from segdemo.text import N_, _

__all__ = ["AXES", "Axis", "CardScore", "card_scores", "fastest_of", "table_rows"]


@dataclass(frozen=True)
class Axis:
    """A cost to plot: what it is called, its unit, and its value in that unit."""

    title: str  # marked with N_
    unit: str
    value: Callable[[Cost], float]


AXES = {
    "latency": Axis(N_("Time"), "ms", lambda cost: cost.spread().median_ms),
    "macs": Axis(N_("MACs"), "G", lambda cost: cost.macs / 1e9),
    "params": Axis(N_("Parameters"), "M", lambda cost: cost.params / 1e6),
    "memory": Axis(N_("Memory"), "MB", lambda cost: (cost.weights_bytes + cost.peak_bytes) / 1e6),
    "disk": Axis(N_("On disk"), "MB", lambda cost: cost.file_bytes / 1e6),
}


@dataclass(frozen=True)
class CardScore:
    """What was measured when the weights were made, on the data set they belong to; NaN where nothing was."""

    value: float
    name: str
    data: str


def card_scores(candidates: Sequence[Candidate]) -> list[CardScore]:
    """The cards' scores. They were measured at the usual threshold and scale, so that other settings have none."""
    found = []
    for candidate in candidates:
        entry = entry_of(candidate)
        measured = entry.score is not None and candidate.scale == 1 and (candidate.threshold == 0.5 or not entry.binary)
        value = float(entry.score) if measured and entry.score is not None else math.nan
        found.append(CardScore(value, _(entry.score_name), _(entry.title).partition(",")[0]))
    return found


def fastest_of(costs: Sequence[Cost]) -> Cost | None:
    """The candidate with the shortest median, where any was timed."""
    timed = [cost for cost in costs if cost.latencies]
    return min(timed, key=lambda cost: cost.spread().median_ms, default=None)


def table_rows(
    costs: Sequence[Cost], titles: Sequence[str], scores: Sequence[float], score_name: str, colours: Sequence[str]
) -> list[dict[str, object]]:
    """One row a candidate that could be measured; None where there is no number."""
    fastest = fastest_of(costs)
    return [
        {
            " ": swatch(colour),
            _("Candidate"): title,
            score_name: None if math.isnan(score) else score,
            **_time_columns(cost, fastest),
            **_exact_columns(cost),
        }
        for cost, title, score, colour in zip(costs, titles, scores, colours, strict=True)
        if not cost.failure
    ]


def _time_columns(cost: Cost, fastest: Cost | None) -> dict[str, object]:
    timed = fastest is not None and cost.latencies
    return {
        _("Time"): cost.spread().median_ms if timed else None,
        _("× fastest"): relative_time(cost, fastest) if fastest is not None and timed else None,
        _("Preprocess"): _phase(cost, "preprocess"),
        _("Forward"): _phase(cost, "forward"),
        _("Postprocess"): _phase(cost, "postprocess"),
    }


def _exact_columns(cost: Cost) -> dict[str, object]:
    height, width = cost.input_size
    return {
        _("Parameters, M"): cost.params / 1e6,
        _("MACs, G"): cost.macs / 1e9,
        _("Pass, MB"): cost.peak_bytes / 1e6,
        _("Weights, MB"): cost.weights_bytes / 1e6,
        _("On disk, MB"): cost.file_bytes / 1e6,
        _("Input"): f"{width} × {height}",
        _("Computed in"): cost.precision,
    }


def _phase(cost: Cost, phase: Phase) -> str:
    """Median and quartiles, "12.3 (11.9–13.0) ms"."""
    if not cost.latencies:
        return "–"
    spread = cost.spread(phase)
    digits = 0 if spread.high_ms >= 100 else 1 if spread.high_ms >= 10 else 2
    return f"{spread.median_ms:.{digits}f} ({spread.low_ms:.{digits}f}–{spread.high_ms:.{digits}f}) ms"


def swatch(colour: str) -> str:
    """A small disc of the colour, as an address that a table shows as a picture."""
    svg = f"<svg xmlns='http://www.w3.org/2000/svg' width='16' height='16'><circle cx='8' cy='8' r='7' fill='{colour}'/></svg>"
    return "data:image/svg+xml;utf8," + svg.replace("#", "%23")

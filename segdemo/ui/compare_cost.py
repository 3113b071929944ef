"""The Cost view: what each candidate takes, beside what it is worth.

exact costs ─▶ paired rounds in the engine's queue ─▶ kept in the session ─▶ scatter with front, table
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from time import monotonic

import streamlit as st

from segdemo.data import Picture
from segdemo.evaluation.candidate import Candidate, entry_of
from segdemo.evaluation.cost import Cost, measure_costs
from segdemo.evaluation.titles import short_titles, title_of_candidate
from segdemo.inference import shared_engine
from segdemo.text import _
from segdemo.ui.compare_colours import colour_of_candidate
from segdemo.ui.compare_cost_data import AXES, card_scores, table_rows
from segdemo.ui.compare_cost_figures import HEIGHT, Point, cost_scatter, fronts, spans_decades, undecided
from segdemo.ui.compare_cost_table import show_cost_table
from segdemo.ui.words import plain
from segdemo.weights import is_present

__all__ = ["show_cost"]

ROUNDS, FEWEST_ROUNDS = 7, 3
SECONDS = 10.0  # after which a first measurement stops at the fewest rounds
KEPT = 8  # measurements a session remembers
UNSTEADY = 0.2  # of the median, between it and the farther quartile: something else was running

Key = tuple[object, ...]


def show_cost(
    candidates: tuple[Candidate, ...], picture: Picture, scores: Mapping[str, float] | None, score_name: str = ""
) -> None:
    """The scatter first, the table under it. `scores` of an evaluation by candidate key; without any, the cards' own.

    score_name: what `scores` are, "Score" where it is not said.
    """
    figure_place, side = st.columns([7, 2], gap="medium")
    with side:
        axis = st.radio(
            _("Cost"), list(AXES), format_func=lambda key: _(AXES[key].title), key="compare_cost_axis",
            persist_state="session", help=_("What the score is held against."),
        )  # fmt: skip
        again = st.button(
            _("Measure again"), icon=":material/timer:", key="compare_cost_again",
            help=_("{n} more rounds. They join those that were measured.", n=ROUNDS),
        )  # fmt: skip
        note = st.container()
    with figure_place:
        costs = _measured(candidates, picture, again)
        titles = short_titles(candidates)
        values, name, groups = _scores(costs, scores, score_name)
        points = [_point(cost, titles[i], colour_of_candidate(i), values[i], groups[i], axis) for i, cost in enumerate(costs)]
        _scatter(points, axis, name)
    with note:
        _notes(costs, picture)
    _failures(costs)
    if _timed(costs):
        show_cost_table(costs, titles, [colour_of_candidate(i) for i in range(len(costs))], values, name)
        with st.expander(_("All numbers, by phase: to sort and download"), icon=":material/table:"):
            _table(costs, titles, values, name)
    _explained(costs)


def _measured(candidates: tuple[Candidate, ...], picture: Picture, again: bool) -> tuple[Cost, ...]:
    """The costs for pictures of this size, measured now where the session does not know them, or wants them better."""
    kept: dict[Key, tuple[Cost, ...]] = st.session_state.setdefault("compare_costs", {})
    here = tuple(is_present(entry_of(candidate)) for candidate in candidates)  # once fetched, weights can be measured
    key: Key = (candidates, picture.full_size, picture.pixels.shape, here)
    before = kept.get(key, ())
    rounds = ROUNDS if again or not before else max(0, FEWEST_ROUNDS - _rounds(before)) if _timed(before) else 0
    if rounds:
        before = _measure(candidates, picture, before, rounds, key)
    kept.pop(key, None)
    kept[key] = before  # as the newest
    for old in list(kept)[:-KEPT]:
        del kept[old]
    return before


def _measure(
    candidates: tuple[Candidate, ...], picture: Picture, before: tuple[Cost, ...], rounds: int, key: Key
) -> tuple[Cost, ...]:
    """Measure with a bar that says how far it is; what is known is kept after every round, should the visitor go on."""
    costs, start, place = before, monotonic(), st.empty()
    with place.container():
        bar = st.progress(0.0, _("Measuring: loading the networks …"))
        st.skeleton(height=HEIGHT)
    for report in measure_costs(shared_engine(), candidates, picture, rounds, before):
        costs = st.session_state["compare_costs"][key] = report.costs
        text = _("Measuring: {done} of {total} rounds over {n} networks", done=report.done, total=report.total, n=len(candidates))
        bar.progress(min(1.0, (report.done + 1) / (report.total + 1)), text)
        if report.done >= FEWEST_ROUNDS and monotonic() - start > SECONDS:
            break
    place.empty()
    return costs


def _timed(costs: Sequence[Cost]) -> list[Cost]:
    return [cost for cost in costs if not cost.failure]


def _rounds(costs: Sequence[Cost]) -> int:
    return min((len(cost.latencies) for cost in _timed(costs)), default=0)


def _scores(costs: Sequence[Cost], scores: Mapping[str, float] | None, score_name: str) -> tuple[list[float], str, list[str]]:
    """Each candidate's score or NaN, what the scores are called, and for each the group within which they compare."""
    if scores:
        return [scores.get(cost.candidate.key, math.nan) for cost in costs], score_name or _("Score"), [""] * len(costs)
    cards = card_scores([cost.candidate for cost in costs])
    names = list(dict.fromkeys(c.name for c, cost in zip(cards, costs, strict=True) if not (cost.failure or math.isnan(c.value))))
    groups = [f"{card.data}, {card.name}" if len(names) > 1 else card.data for card in cards]
    return [card.value for card in cards], " / ".join(names) or _("Score"), groups


def _point(cost: Cost, label: str, colour: str, score: float, group: str, axis: str) -> Point:
    value = AXES[axis].value(cost) if not cost.failure else math.nan
    spread = cost.spread()
    low, high = (spread.low_ms, spread.high_ms) if axis == "latency" else (value, value)
    return Point(label, colour, value, low, high, score, group)


def _scatter(points: list[Point], axis: str, score_name: str) -> None:
    """The plot, and in words who is on the front."""
    if not any(point.known for point in points):
        st.info(
            _("None of these has a score yet. Evaluate them on pictures with ground truth, and they are placed here; what they "
              "cost is in the table.")
        )  # fmt: skip
        return
    title = _(AXES[axis].title)
    st.plotly_chart(
        cost_scatter(points, title, AXES[axis].unit, score_name), key="compare_cost_scatter", config={"displayModeBar": False},
        alt=_("Score against cost, a point a candidate, with the Pareto front"),
    )  # fmt: skip
    st.caption(_words(points, score_name))


def _words(points: list[Point], score_name: str) -> str:
    """Which candidates are worth their cost, which are not, and how far the scores can be compared."""
    found, rough = fronts(points), undecided(points)
    sure = {group: [i for i in front if i not in rough] for group, front in found.items()}
    names = {group: _listed(points, on_it) for group, on_it in sure.items() if on_it}
    told = "; ".join(f"{plain(group)}: {on_it}" if len(found) > 1 else on_it for group, on_it in names.items())
    lines = [_("**Pareto front**, the line: whoever is on it is beaten by nobody in both score and cost.")]
    if told:
        lines.append(_("Filled, on it: {names}.", names=told))
    if rough:
        lines.append(_("With a dot, too close in time to tell, and the line is rough: {names}.", names=_listed(points, rough)))
    told_of = rough.union(*found.values())
    if any(point.known and i not in told_of for i, point in enumerate(points)):
        lines.append(_("Each hollow one is matched or beaten by one that costs no more."))
    if len(found) > 1:
        lines.append(_("Scores of different data sets, drawn in different shapes, cannot be compared with each other."))
    if unknown := [plain(point.label, 60) for point in points if math.isfinite(point.cost) and math.isnan(point.score)]:
        lines.append(_("No score was measured for: {names}.", names=", ".join(unknown)))
    if any(point.group for point in points):
        lines.append(
            _("The scores are those on the weights' cards, measured at the usual threshold and scale on held-out pictures of "
              "the data they were trained on. Evaluate your own pictures for scores that hold for them.")
        )  # fmt: skip
    if spans_decades([point.cost for point in points if point.known]):
        lines.append(_("The cost's axis is logarithmic."))
    return " ".join(lines)


def _listed(points: list[Point], indices: Iterable[int]) -> str:
    return ", ".join(plain(points[i].label, 60) for i in sorted(indices))


def _notes(costs: Sequence[Cost], picture: Picture) -> None:
    """For which size, how often, and how steady."""
    height, width = picture.full_size
    st.caption(
        _("For a picture of {w} × {h} pixels, on {device}.", w=width, h=height, device=plain(shared_engine().device_label))
    )
    if not (rounds := _rounds(costs)):
        return
    spreads = [cost.spread() for cost in _timed(costs)]
    most = max(max(s.high_ms - s.median_ms, s.median_ms - s.low_ms) / s.median_ms for s in spreads)
    steady = _("{n} rounds; half of the times lie within ±{share:.0f} % of the median.", n=rounds, share=100 * most)
    busy = _("Rough: others use this machine, too. What is counted, MACs and memory, is not affected.") if most > UNSTEADY else ""
    st.caption(f"{steady} {busy}")


def _failures(costs: Sequence[Cost]) -> None:
    for cost in costs:
        if cost.failure:
            st.warning(
                f"**{plain(title_of_candidate(cost.candidate), 90)}**: {plain(cost.failure.text, 400)}",
                icon=":material/timer_off:",
            )


def _table(costs: Sequence[Cost], titles: list[str], scores: list[float], score_name: str) -> None:
    """Every number, one column each."""
    rows = table_rows(costs, titles, scores, score_name, [colour_of_candidate(i) for i in range(len(costs))])
    number = st.column_config.NumberColumn
    st.dataframe(
        rows, hide_index=True, key="compare_cost_table", height="content",
        column_config={
            " ": st.column_config.ImageColumn(width=36, pinned=True),
            _("Candidate"): st.column_config.TextColumn(pinned=True),
            score_name: number(format="%.3f"),
            _("Time"): number(format="%.1f ms", help=_("Median of a whole prediction.")),
            _("× fastest"): number(format="%.2f", help=_("Median of the rounds' ratios: steadier than the milliseconds.")),
            **{_(phase): st.column_config.TextColumn(help=_("Median, and the quartiles in brackets."))
               for phase in ("Preprocess", "Forward", "Postprocess")},
            _("Parameters, M"): number(format="%.2f"),
            _("MACs, G"): number(format="%.2f", help=_("Multiplications of one pass at this picture's size, in 10⁹.")),
            _("Pass, MB"): number(format="%.1f", help=_("Memory of one pass at its peak, beside the weights.")),
            _("Weights, MB"): number(format="%.2f", help=_("Memory of the weights in the precision that was used.")),
            _("On disk, MB"): number(format="%.2f", help=_("The file of the weights.")),
            _("Input"): st.column_config.TextColumn(help=_("What the network is given, padding included.")),
        },
    )  # fmt: skip


def _explained(costs: Sequence[Cost]) -> None:
    on_cuda = any(cost.device == "cuda" for cost in costs)
    memory = (
        _("as PyTorch's allocator on the graphics processor reports it, workspace included")
        if on_cuda
        else _("counted by following every tensor of the pass from its making to its end; what an operation allocates within "
               "itself is not seen")
    )  # fmt: skip
    with st.expander(_("How this is measured"), icon=":material/help:"):
        st.markdown(
            _("**Time** is that of whole predictions, as the Segment page makes them: preparing the picture, the forward pass, "
              "and turning its output into labels. Every round runs every candidate once, each round begins with another "
              "one, and a first round that warms up does not count. They wait in the same queue as all visitors' pictures.\n\n"
              "**MACs** are the multiplications of convolutions and matrix products. **Memory** is the weights and one pass "
              "at its peak, {memory}. Candidates that differ in the threshold alone cost the same, and are run once.\n\n"
              "**Pareto front**: whoever is on it can be beaten in score or in cost, but by nobody in both. Where the quartiles "
              "of two times overlap, they do not tell which is faster, and neither is called better; more rounds help.",
              memory=memory)
        )  # fmt: skip

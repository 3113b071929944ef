"""The Cost view's table: a row a candidate, all columns in sight; on a narrow page each row is a card."""

import math
from collections.abc import Sequence
from html import escape

import streamlit as st

from segdemo.evaluation.cost import Cost, Spread, relative_time
from segdemo.text import _
from segdemo.ui.compare_cost_data import fastest_of
from segdemo.ui.words import compact_number

__all__ = ["show_cost_table", "time_text"]

STYLE = """<style>
.costs { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
.costs th, .costs td { padding: 0.4rem 0.5rem; text-align: right; border: 0; border-bottom: 1px solid rgba(128, 128, 128, 0.3); }
.costs thead th { font-weight: 400; font-size: 0.875rem; opacity: 0.75; vertical-align: bottom; }
.costs th:first-child { text-align: left; }
.costs tbody th { font-weight: 600; }
.costs abbr { text-decoration: underline dotted; text-underline-offset: 3px; cursor: help; }
.costs .disc { display: inline-block; width: 0.75rem; height: 0.75rem; border-radius: 50%; margin-right: 0.5rem; }
.costs small { display: block; font-size: 0.8rem; opacity: 0.75; white-space: nowrap; }
.costs .label { display: none; }
@media (max-width: 700px) {
  .costs thead { display: none; }
  .costs, .costs tbody { display: block; }
  .costs tr { display: grid; grid-template-columns: 1fr 1fr; gap: 0 1.25rem; padding: 0.6rem 0; border-bottom: 1px solid rgba(128, 128, 128, 0.4); }
  .costs th, .costs td { border: 0; padding: 0.15rem 0; display: flex; justify-content: space-between; align-items: baseline; }
  .costs tbody th { grid-column: 1 / -1; justify-content: flex-start; }
  .costs .label { display: inline; opacity: 0.75; font-size: 0.875rem; }
}
</style>"""  # noqa: E501


def time_text(spread: Spread) -> tuple[str, str]:
    """Median and quartiles, with no more digits than their distance is worth: ("120 ms", "110–140 ms"); "–" before any round."""
    if not spread.rounds:
        return "–", ""
    half = (spread.high_ms - spread.low_ms) / 2
    finest = -2 if spread.median_ms < 10 else -1 if spread.median_ms < 100 else 0
    coarsest = math.floor(math.log10(spread.median_ms)) if spread.median_ms > 0 else finest
    power = min(coarsest, max(finest, math.floor(math.log10(half)))) if half > 0 else finest
    low, middle, high = (_rounded(value, power) for value in (spread.low_ms, spread.median_ms, spread.high_ms))
    return _("{ms} ms", ms=middle), "" if low == high else _("{low}–{high} ms", low=low, high=high)


def _rounded(value: float, power: int) -> str:
    return f"{round(value, -power):.{max(0, -power)}f}"


def show_cost_table(
    costs: Sequence[Cost], titles: Sequence[str], colours: Sequence[str], scores: Sequence[float], score_name: str
) -> None:
    """Those that could be measured, with their scores where there are some, and a line on what the columns are."""
    heads = _heads(score_name)
    rows = [
        _row(heads, colour, title, _cells(cost, fastest_of(costs), score))
        for cost, title, colour, score in zip(costs, titles, colours, scores, strict=True)
        if not cost.failure
    ]
    head = "".join(f'<th scope="col"><abbr title="{escape(hint)}">{escape(name)}</abbr></th>' for name, hint in heads)
    st.html(STYLE)
    st.html(
        f'<table class="costs"><thead><tr><th scope="col">{escape(_("Candidate"))}</th>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )
    st.caption(
        _("**Time**: median of whole predictions, under it the quartiles. **MACs**: multiply–accumulates, the multiplications of "
          "one pass at this picture's size. **Memory**: the weights and one pass at its peak. **On disk**: the weights' file.")
    )  # fmt: skip


def _heads(score_name: str) -> list[tuple[str, str]]:
    return [
        (score_name, _("What it is worth: see below the plot where this was measured.")),
        (_("Time"), _("Median of whole predictions; under it the quartiles, between which half of them lie.")),
        (_("× fastest"), _("Median of the rounds' ratios: steadier than the milliseconds.")),
        (_("Parameters"), _("Numbers that training sets.")),
        (_("MACs"), _("Multiply–accumulates: the multiplications of one pass at this picture's size.")),
        (_("Memory"), _("The weights and one pass at its peak.")),
        (_("On disk"), _("The file of the weights.")),
    ]


def _cells(cost: Cost, fastest: Cost | None, score: float) -> list[tuple[str, str]]:
    """What stands under each head, and in small under that."""
    ratio = relative_time(cost, fastest) if fastest is not None else math.nan
    return [
        ("–" if math.isnan(score) else f"{score:.3f}", ""),
        time_text(cost.spread()),
        ("–" if math.isnan(ratio) else f"{ratio:.2g}" if ratio < 100 else f"{ratio:.0f}", ""),
        (compact_number(cost.params), ""),
        (compact_number(cost.macs), ""),
        (f"{compact_number(cost.weights_bytes + cost.peak_bytes)}B", ""),
        (f"{compact_number(cost.file_bytes)}B", ""),
    ]


def _row(heads: list[tuple[str, str]], colour: str, title: str, cells: list[tuple[str, str]]) -> str:
    shown = "".join(
        f'<td><span class="label">{escape(name)}</span><span>{escape(text)}{f"<small>{escape(under)}</small>" if under else ""}'
        "</span></td>"
        for (name, _hint), (text, under) in zip(heads, cells, strict=True)
    )
    return f'<tr><th scope="row"><span class="disc" style="background: {colour}"></span>{escape(title)}</th>{shown}</tr>'

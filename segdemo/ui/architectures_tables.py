"""The tables of the Architectures page: stages, facts, what two networks differ in, and the scores of trained weights."""

import math
from collections.abc import Sequence

import streamlit as st

from segdemo.features import Anatomy, ReceptiveField
from segdemo.features.history_facts import facts_of
from segdemo.models import TITLES
from segdemo.text import _
from segdemo.types import WeightsEntry
from segdemo.ui.diagram import compact_number
from segdemo.ui.diagram_layout import shape_text
from segdemo.weights import list_weights

__all__ = ["comparison_table", "facts_table", "field_text", "scores_markdown", "scores_rows", "stage_table"]

ABSENT = "–"


def field_text(field: ReceptiveField) -> str:
    """A field in pixels, or that it is the whole picture."""
    return _("the whole picture") if field.whole else f"{field.size} px"


def stage_table(anatomy: Anatomy, fields: dict[str, ReceptiveField], key: str) -> None:
    """One row a stage: shape, parameters, multiplications, receptive field."""
    unit, size = ("G", 1e9) if anatomy.macs >= 1e10 else ("M", 1e6)
    macs = _("MACs ({unit})", unit=unit)
    rows = [
        {
            _("Stage"): part.stage.name,
            _("Output"): shape_text(part.shape),
            _("Parameters"): part.params,
            macs: part.macs / size,
            _("Share"): 100 * part.macs / max(1, anatomy.macs),
            _("Field"): _("whole") if fields[part.stage.name].whole else f"{fields[part.stage.name].size} px",
        }
        for part in anatomy.parts
    ]
    columns = {
        _("Parameters"): st.column_config.NumberColumn(format="localized"),
        macs: st.column_config.NumberColumn(
            format="%.2f", help=_("Multiplications, each with its addition, of convolutions and matrix products.")
        ),
        _("Share"): st.column_config.ProgressColumn(
            format="%.0f %%", min_value=0, max_value=100, width="small", help=_("Of the multiplications of the whole network.")
        ),
        _("Field"): st.column_config.TextColumn(
            help=_("Receptive field: how much of the picture one position can depend on. Exact, not estimated.")
        ),
    }
    st.dataframe(rows, hide_index=True, column_config=columns, key=key, height="content")
    if anatomy.unused:
        st.caption(
            _(
                "{n} further parameters have no part in a prediction: heads for training, or spare stages.",
                n=f"{anatomy.unused:,}",
            )
        )


def facts_table(name: str) -> None:
    """What the paper says and what ours counts, with a tick where they agree."""
    facts = facts_of(name)
    if not facts:
        st.caption(_("There is no published number to hold this network against."))
        return
    lines = [f"| | {_('Published')} | {_('Ours')} | |", "|---|---:|---:|---|"]
    for fact, ours, same in facts:
        mark = ":green[:material/check:]" if same else ":orange[≠]"
        lines.append(f"| {_(fact.label)} | {fact.published} | {ours} | {mark} |")
    st.markdown("\n".join(lines))
    remarks = [f"≠ {_(fact.label)}: {_(fact.remark)}." for fact, _ours, same in facts if not same and fact.remark]
    st.caption("  \n".join([_("Ours is counted on our own network, built as the paper has it."), *remarks]))


def comparison_table(titles: Sequence[str], anatomies: Sequence[Anatomy], seen: Sequence[str]) -> None:
    """The totals of two networks side by side."""
    rows = {
        _("Input"): [shape_text(a.input_shape) for a in anatomies],
        _("Logits"): [shape_text(a.logits_shape) for a in anatomies],
        _("Parameters"): [f"{a.params:,}" for a in anatomies],
        _("MACs"): [compact_number(a.macs) for a in anatomies],
        _("Receptive field of the last stage"): list(seen),
        _("Stages"): [str(len(a.parts)) for a in anatomies],
    }
    lines = [f"| | {titles[0]} | {titles[1]} |", "|---|---:|---:|"]
    lines += [f"| {label} | {left} | {right} |" for label, (left, right) in rows.items()]
    st.markdown("\n".join(lines))


def scores_rows() -> list[dict[str, str]]:
    """Every set of weights with what its card measured; “–” where it did not."""
    return [_scores_row(entry) for entry in list_weights()]


def scores_markdown() -> str:
    """The same as a Markdown table, for the README."""
    rows = scores_rows()
    head = list(rows[0])
    lines = [" | ".join(head), "|".join(["---"] * len(head)), *(" | ".join(row.values()) for row in rows)]
    return "\n".join(f"| {line} |" if "---|" not in line else f"|{line}|" for line in lines)


def _scores_row(entry: WeightsEntry) -> dict[str, str]:
    scores = entry.card.get("scores")
    boundary = scores.get("boundary_f1") if isinstance(scores, dict) else None
    return {
        _("Network"): TITLES.get(entry.model, entry.model),
        _("Weights"): _(entry.title),
        _("Score"): ABSENT if entry.score is None else f"{_(entry.score_name)} {entry.score:.3f}",
        _("Boundary F1"): _number(boundary, "{:.3f}"),
        _("Parameters"): compact_number(entry.params),
        _("MACs"): ABSENT if (macs := _value(entry.card.get("macs"))) is None else compact_number(macs),
        _("CPU latency"): _number(entry.card.get("cpu_latency_ms"), "{:.0f} ms"),
    }


def _value(value: object) -> float | None:
    number = float(value) if isinstance(value, int | float) else math.nan
    return None if math.isnan(number) else number


def _number(value: object, form: str) -> str:
    number = _value(value)
    return ABSENT if number is None else form.format(number)

"""The tables of the Architectures page: stages, facts, what two networks differ in, and the scores of trained weights."""

from collections.abc import Sequence

import streamlit as st

from segdemo.features import Anatomy, ReceptiveField
from segdemo.features.history_facts import facts_of
from segdemo.text import _
from segdemo.ui.diagram_layout import shape_text
from segdemo.ui.words import compact_number

__all__ = ["comparison_table", "facts_table", "field_text", "stage_table"]


def field_text(field: ReceptiveField) -> str:
    """A field in pixels, or that it is the whole picture."""
    if field.whole:
        return _("the whole picture")
    return _("over {n} px", n=field.size) if field.at_least else f"{field.size} px"


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

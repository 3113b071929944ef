"""What is not in the scores and why: networks, classes and files; and what else is to be known about them."""

from dataclasses import replace

import streamlit as st

from segdemo.evaluation.scores.files import harmless
from segdemo.evaluation.scores.remarks import class_remarks, omissions
from segdemo.evaluation.scores.results import Evaluation
from segdemo.text import _
from segdemo.ui.compare_scores_tables import Look
from segdemo.ui.words import plain

__all__ = ["show_left_out"]

LISTED = 200
NAMES = 12  # of classes in a sentence


def show_left_out(evaluation: Evaluation, look: Look) -> None:
    """Networks as warnings, classes as notes, files in a table that one can open."""
    for key, reason in evaluation.refused.items():
        st.warning(f"**{plain(look.titles.get(key, key), 90)}**: {plain(reason.text, 500)}", icon=":material/block:")
    for text in class_remarks(evaluation, look.titles, most=NAMES):
        st.caption(f":material/info: {plain(text, 600)}")
    found = omissions(replace(evaluation, refused={}), look.titles)
    rows = [{_("What"): omission.title, _("File"): harmless(name), _("Why"): why}
            for omission in found for name, why in omission.rows]  # fmt: skip
    if not rows:
        return
    reduced = any(result.shrunk for result in evaluation.results)
    label = (
        _("{n} files were left out or seen smaller; the rest is scored", n=len(rows))
        if reduced
        else _("{n} files were left out; the rest is scored", n=len(rows))
    )
    with st.expander(label, icon=":material/rule:", key="scores_left_out"):
        st.dataframe(rows[:LISTED], hide_index=True, height="content", key="scores_left_out_table", alt=_("Files left out"))
        if len(rows) > LISTED:
            st.caption(_("And {n} more.", n=len(rows) - LISTED))

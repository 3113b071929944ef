"""What was found in a visitor's data set: how many pairs are fine, and of each other file why it is not."""

import streamlit as st

from segdemo.data.uploaded_set import PairedSource, PairReport
from segdemo.text import _
from segdemo.ui.words import plain

__all__ = ["show_report"]

MAX_ROWS = 500


def show_report(source: PairedSource, name: str) -> None:
    """One line; behind it a table of what is wrong, and one of what is fine."""
    report = source.report
    line = _("{n} pairs fit", n=len(report.fine))
    if report.wrong:
        line += " · " + _("{n} files do not, and are left out", n=len(report.wrong))
    with st.expander(f"**{plain(name)}**: {line}", icon=":material/rule:" if report.wrong else ":material/check_circle:",
                     expanded=False, key="training_report"):  # fmt: skip
        if report.wrong:
            st.dataframe([_row(pair) for pair in report.wrong[:MAX_ROWS]], hide_index=True, key="training_wrong")
        st.dataframe([_row(pair) for pair in report.fine[:MAX_ROWS]], hide_index=True, height=240, key="training_fine")
    for notice in report.notices:
        st.caption(f":material/info: {plain(notice.text, 300)}")


def _row(pair: PairReport) -> dict[str, str]:
    """Names are shown by the table as they are: it reads no markup."""
    size = f"{pair.size[1]} × {pair.size[0]}" if pair.size else ""
    row = {_("Image"): pair.name, _("Mask"): pair.mask}
    return {**row, _("What is wrong"): pair.problem.text} if pair.problem else {**row, _("Size"): size}

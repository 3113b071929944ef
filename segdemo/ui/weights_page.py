"""The Weights page: every set of weights with what it was trained on, how well it does, and under which licence."""

import streamlit as st

from segdemo.models import TITLES
from segdemo.text import _
from segdemo.types import WeightsEntry
from segdemo.ui.fetching import fetch_button
from segdemo.ui.frame import SEGMENT_PAGE, choose_weights, listed_weights, weights_line
from segdemo.ui.importing import show_importing
from segdemo.ui.scores import by_data_set
from segdemo.ui.words import compact_number, plain
from segdemo.weights import is_present

__all__ = ["show_weights_page"]


def show_weights_page() -> None:
    """The way to bring one's own, then a card for each set of weights: one's own, bundled ones, downloads."""
    st.title(_("Weights"))
    st.markdown(
        _("A network is only as good as what it was trained on. Each card says what that was; scores are measured, not promised.")
    )
    show_importing()
    imported_first = sorted(listed_weights(), key=lambda entry: entry.file is None)
    for title, entries in by_data_set(imported_first):
        st.subheader(plain(title, 80))
        st.caption(plain(_(entries[0].trained_on), 200))
        for entry in entries:
            _card(entry)


def _card(entry: WeightsEntry) -> None:
    """One line that opens: what tells these weights from the others of their data set, then everything about them."""
    score = f" · {_(entry.score_name)} {entry.score:.3f}" if entry.score is not None else ""
    extra = _(entry.title).partition(", ")[2] if entry.file is None else ""
    name = f"**{TITLES[entry.model]}**" + (f" ({extra})" if extra else "")
    size = _("{n} parameters", n=compact_number(entry.params))
    icon = ":material/check_circle:" if is_present(entry) else ":material/cloud_download:"
    with st.expander(f"{name}{score} · {size}", icon=icon, key=f"card_{entry.weights_id.replace('/', '_')}"):
        st.caption(f"`{entry.weights_id}` · {weights_line(entry)}")
        _score_by_kind(entry)
        with st.popover(_("Classes ({n})", n=len(entry.classes)), key=f"classes_{entry.weights_id}"):
            st.markdown(", ".join(plain(_(info.name)) for info in entry.classes))
        if "command" in entry.card or entry.url:
            with st.popover(_("How they were made"), icon=":material/receipt_long:", key=f"made_{entry.weights_id}"):
                st.code(str(entry.card.get("command", "")), language="bash", wrap_lines=True)
                st.json(
                    {
                        k: v
                        for k, v in entry.card.items()
                        if k in ("data", "settings", "preprocessing", "scores", "sha256", "note", "trained_with")
                    },
                    expanded=1,
                )
        if is_present(entry):
            chosen = st.button(_("Use on the Segment page"), key=f"use_{entry.weights_id}", icon=":material/play_arrow:",
                               on_click=choose_weights, args=(entry.weights_id,))  # fmt: skip
            if chosen:
                st.switch_page(SEGMENT_PAGE)
        else:
            fetch_button(entry)


def _score_by_kind(entry: WeightsEntry) -> None:
    """The score of each kind of picture, where the card knows kinds: an average hides the hard ones."""
    scores = entry.card.get("scores")
    kinds = scores.get("score_by_kind", {}) if isinstance(scores, dict) else {}
    if entry.score is None:
        return
    with st.container(horizontal=True, gap="large"):
        st.metric(_("{score}, all", score=_(entry.score_name)), f"{entry.score:.3f}", width="content")
        for kind, score in kinds.items() if len(kinds) > 1 else ():
            st.metric(_(kind), f"{score:.3f}", width="content")

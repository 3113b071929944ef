"""Undo for views of the Layers page on which something is built: what settings said before each change, newest last."""

from collections.abc import Callable, Sequence

import streamlit as st

from segdemo.text import _
from segdemo.ui.layers_parameter import keep, key_of, setting

__all__ = ["remember", "show_undo"]

MOST_UNDONE = 30


def remember(names: Sequence[str]) -> None:
    """What these settings say now is what Undo brings back next. To be called before they are changed."""
    before: list[dict[str, str]] = st.session_state.setdefault(key_of("before"), [])
    before.append({name: setting(name, "", str) for name in names})
    del before[:-MOST_UNDONE]


def show_undo(instead: Callable[[], None] | None = None) -> None:
    """The button that goes back to before the last change. instead: takes back what has not become a change yet."""
    st.button(
        _("Undo"), key=key_of("undo"), help=_("Takes back the last change."), on_click=instead or _undo,
        disabled=instead is None and not st.session_state.get(key_of("before")),
    )  # fmt: skip


def _undo() -> None:
    if before := st.session_state.get(key_of("before")):
        for name, text in before.pop().items():
            keep(name, text, "")

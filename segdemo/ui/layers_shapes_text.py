"""All lines of the Shape walk as text: what cannot be read is said for as long as it stands in the box, and is not lost."""

from collections.abc import Sequence

import streamlit as st

from segdemo.errors import SettingError
from segdemo.layerlab.shape_language import KINDS, Line, write_lines
from segdemo.layerlab.shape_reading import parse_lines
from segdemo.text import _
from segdemo.ui.layers_parameter import key_of
from segdemo.ui.layers_shapes_state import replace_lines
from segdemo.ui.layers_undo import show_undo

__all__ = ["edit_as_text"]

Lines = Sequence[Line]


def edit_as_text(lines: Lines) -> str:
    """The box. Returns the sentence on why its text cannot be read, or ""."""
    key, shown = key_of("text"), key_of("text_of")
    if st.session_state.get(shown) != write_lines(lines) or key not in st.session_state:
        st.session_state[key] = st.session_state[shown] = write_lines(lines)
    st.text_area(_("Lines"), key=key, height=340, persist_state="session", on_change=lambda: _read(lines), help=_(
        "One layer per line. Ctrl+Enter applies it."))  # fmt: skip
    unread = _unread(st.session_state[key])
    show_undo(instead=(lambda: _put_back(lines)) if unread else None)
    with st.popover(_("Words you can use"), icon=":material/help:", width="stretch"):
        st.markdown(_words_table())
    return unread


def _unread(text: str) -> str:
    """Why it cannot be read, or ""."""
    try:
        parse_lines(text)
    except SettingError as error:
        return str(error)
    return ""


def _put_back(lines: Lines) -> None:
    """The text of the network that is drawn, instead of one that cannot be read."""
    st.session_state[key_of("text")] = write_lines(lines)


def _read(lines: Lines) -> None:
    try:
        new = parse_lines(st.session_state[key_of("text")])
    except SettingError:
        return  # said beside the drawing, for as long as the text stands here
    if new != tuple(lines):
        replace_lines(new, 0)


def _words_table() -> str:
    rows = []
    for name, spec in KINDS.items():
        parts = [
            *spec.numbers,
            *(["e1"] if spec.joins else []),
            *(f"{o}{usual or ''}" for o, usual in spec.options.items()),
            *spec.words,
        ]
        rows.append(f"`{' '.join([name, *parts])}`  \n{_(spec.title)}")
    return "\n\n".join([*rows, _("`as e1` at the end of a line gives it a name. Text after # is ignored.")])

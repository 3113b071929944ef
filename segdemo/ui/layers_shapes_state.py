"""The network of the Shape walk: kept in the address, as the name of an example or as its lines; changes can be undone."""

from collections.abc import Sequence

import streamlit as st

from segdemo.layerlab.shape_examples import EXAMPLES, example_lines, example_name
from segdemo.layerlab.shape_language import Line, write_token
from segdemo.layerlab.shape_reading import parse_token
from segdemo.text import _
from segdemo.ui.layers_settings import keep, key_of, setting

__all__ = ["DEFAULT", "choose", "lines_now", "replace_lines", "show_undo"]

DEFAULT = "mnist"
MOST_UNDONE = 30
Lines = tuple[Line, ...]


def _parsed(text: str) -> Lines:
    return () if text == "-" else example_lines(text) if text in EXAMPLES else parse_token(text)


def _written(lines: Sequence[Line]) -> str:
    return example_name(lines) or write_token(lines) or "-"


def lines_now() -> tuple[Lines, str]:
    """The lines, and the key of the example that they are, or ""."""
    lines = setting("lines", _parsed(DEFAULT), _parsed)
    text = _written(lines)
    return lines, text if text in EXAMPLES else ""


def replace_lines(lines: Sequence[Line], chosen: int | None = None) -> None:
    """Another network, one step that can be undone. chosen: the line that is looked at then."""
    before: list[str] = st.session_state.setdefault(key_of("before"), [])
    before.append(_written(setting("lines", _parsed(DEFAULT), _parsed)))
    del before[:-MOST_UNDONE]
    keep("lines", _written(lines), DEFAULT)
    if chosen is not None:
        choose(chosen)


def choose(line: int) -> None:
    """Look at another line, numbered from 0; in the address from 1."""
    keep("line", max(0, line) + 1, 1)


def show_undo() -> None:
    """The button that goes back to before the last change."""
    st.button(
        _("Undo"), key=key_of("undo"), help=_("Back to before the last change."), on_click=_undo,
        disabled=not st.session_state.get(key_of("before")),
    )  # fmt: skip


def _undo() -> None:
    if before := st.session_state.get(key_of("before")):
        keep("lines", before.pop(), DEFAULT)

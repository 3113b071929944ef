"""Editing the network of the Shape walk line by line: the controls of the chosen one, and adding, moving, removing lines."""

from collections.abc import Callable, Sequence

import streamlit as st

from segdemo.layerlab.shape_language import MOST_LINES, Line
from segdemo.text import _
from segdemo.ui.layers_parameter import key_of
from segdemo.ui.layers_shapes_line import line_controls
from segdemo.ui.layers_shapes_state import replace_lines
from segdemo.ui.layers_undo import show_undo

__all__ = ["edit_line"]

Lines = Sequence[Line]


def edit_line(lines: Lines, at: int) -> str:
    """The controls of the line that is looked at, and the buttons. Returns what was refused, said once, or ""."""
    if lines:
        line_controls(lines, at)
    with st.container(horizontal=True, gap="small"):
        _button(
            "add", _("Add"), _("Adds a line below this one."), len(lines) < MOST_LINES and bool(lines), lambda: _add(lines, at)
        )
        _button("up", _("Up"), _("Moves the line up."), at > 1, lambda: _swap(lines, at, at - 1))
        _button("down", _("Down"), _("Moves the line down."), 0 < at < len(lines) - 1, lambda: _swap(lines, at, at + 1))
        _button("remove", _("Remove"), _("Removes the line."), at > 0, lambda: _remove(lines, at))
        show_undo()
    return str(st.session_state.pop(key_of("refused"), ""))


def _button(name: str, label: str, tip: str, can: bool, act: Callable[[], None]) -> None:
    st.button(label, key=key_of(name), help=tip, disabled=not can, on_click=act)


def _add(lines: Lines, at: int) -> None:
    new = Line("relu") if lines[at].kind in ("flatten", "linear") else Line("conv", (32,), (("p", 1),), ("relu",))
    replace_lines((*lines[: at + 1], new, *lines[at + 1 :]), at + 1)


def _swap(lines: Lines, at: int, to: int) -> None:
    moved = [*lines]
    moved[at], moved[to] = moved[to], moved[at]
    replace_lines(moved, to)


def _remove(lines: Lines, at: int) -> None:
    replace_lines((*lines[:at], *lines[at + 1 :]), at - 1)

"""The moment of a theatre that stands in the address: the cell at which it stands still, and whether the output grows up to it.

`cell` is the key of a grid, a row and a column, "output0_0.2.3", with ".growing" behind it where what comes later is still empty.
"""

import re

import streamlit as st

from segdemo.errors import SettingError
from segdemo.layerlab.scene import Scene
from segdemo.text import _
from segdemo.ui.layers_parameter import keep, key_of, say, setting, settings_text

__all__ = ["CELL", "cell_setting", "keep_cell", "settings_without_cell"]

CELL = "cell"
WRITTEN = r"([a-z0-9_]{1,40})\.([0-9]{1,4})\.([0-9]{1,4})(\.growing)?"


def _parse(text: str) -> str:
    if not re.fullmatch(WRITTEN, text):
        raise SettingError(_("In the address, cell is a grid, a row and a column, such as output0.2.3."))
    return text


def cell_setting(scene: Scene) -> str:
    """The cell of the scene at which the theatre stands still, "" for none.

    One that is not there is dropped: silently if it was there before another setting changed, otherwise with a sentence.
    """
    text = setting(CELL, "", _parse)
    seen = f"{key_of(CELL)}_seen"
    if text and not _is_in(scene, text):
        if st.session_state.get(seen) != text:
            say(_("In the address, cell names {cell}, which is not among the cells here.", cell=text.removesuffix(".growing")))
        keep(CELL, None)
        text = ""
    st.session_state[seen] = text
    return text


def _is_in(scene: Scene, text: str) -> bool:
    key, row, column = text.split(".")[:3]
    values = next((grid.values for grid in scene.grids if grid.key == key), None)
    return values is not None and bool(int(row) < len(values) and int(column) < values.shape[1])


def keep_cell(text: str) -> None:
    """Write where the theatre came to stand into the address; "" takes it out. What is no cell is not written."""
    if not text or re.fullmatch(WRITTEN, text):
        keep(CELL, text or None)
        st.session_state[f"{key_of(CELL)}_seen"] = text


def settings_without_cell() -> str:
    """What makes up the scene: all pairs of the address but this one."""
    return ",".join(pair for pair in settings_text().split(",") if not pair.startswith(f"{CELL}:"))

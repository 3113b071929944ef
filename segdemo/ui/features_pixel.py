"""The held pixel: a place in the picture, kept as shares of its sides, so that it means the same for every network."""

from math import isfinite

import streamlit as st

from segdemo.ui.study import Study

__all__ = ["hold", "let_go", "pixel_in"]

PIXEL_KEY = "pixel"  # (y, x), each 0–1


def hold(study: Study, y: float, x: float) -> None:
    """Hold the pixel in row y and column x of the picture as this network saw it; what lies outside is not held."""
    height, width = study.seen.shape[:2]
    if isfinite(y) and isfinite(x) and 0 <= y < height and 0 <= x < width:
        st.session_state[PIXEL_KEY] = ((int(y) + 0.5) / height, (int(x) + 0.5) / width)


def let_go() -> None:
    """Hold none."""
    st.session_state.pop(PIXEL_KEY, None)


def pixel_in(study: Study) -> tuple[int, int] | None:
    """(row, column) of the held pixel in the picture as this network saw it; None where none is held."""
    kept = st.session_state.get(PIXEL_KEY)
    if kept is None:
        return None
    height, width = study.seen.shape[:2]
    return int(kept[0] * height), int(kept[1] * width)

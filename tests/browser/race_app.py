"""A server for the Race view alone, with a second page to go away to."""

import streamlit as st

from segdemo.ui.losses_race import show_race
from segdemo.ui.style import apply_style


def race() -> None:
    """The view, with races that are easy for a slow machine and last long enough on a quick one to be paused and stopped."""
    state = {
        "sample": "coins", "race_width": 4, "race_losses": ["bce", "dice", "focal", "weighted_bce"], "race_speed": "four",
        "race_steps": 600,
    }  # fmt: skip
    for key, value in state.items():
        st.session_state.setdefault(key, value)
    show_race()


def elsewhere() -> None:
    """Nothing of the race."""
    st.title("Elsewhere")


st.set_page_config(layout="wide")
apply_style()
st.navigation([st.Page(race, title="Race", default=True), st.Page(elsewhere, title="Elsewhere")]).run()

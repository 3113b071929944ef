"""A server for the Race view alone, with a second page to go away to."""

import streamlit as st

from segdemo.ui.losses_race import show_race
from segdemo.ui.style import apply_style


def race() -> None:
    """The view, with races that also a slow machine finishes."""
    for key, value in {"sample": "coins", "race_width": 4, "race_losses": ["bce", "dice", "focal", "weighted_bce"]}.items():
        st.session_state.setdefault(key, value)
    show_race()


def elsewhere() -> None:
    """Nothing of the race."""
    st.title("Elsewhere")


st.set_page_config(layout="wide")
apply_style()
st.navigation([st.Page(race, title="Race", default=True), st.Page(elsewhere, title="Elsewhere")]).run()

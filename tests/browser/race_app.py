"""A server for the Race view alone, with a second page to go away to, whose visitors are given up after a few seconds."""

import streamlit as st

from segdemo.ui.losses_race import show_race
from segdemo.ui.losses_race_state import shared_jobs
from segdemo.ui.style import apply_style
from segdemo.ui.url import read_url, write_url

LEASE_S = 5.0


def race() -> None:
    """The view, with races that are easy for a slow machine and last long enough on a quick one to be paused and stopped."""
    _race(["bce", "dice"])


def wide() -> None:
    """The same with as many losses as the page begins with."""
    _race(["bce", "dice", "focal", "weighted_bce"])


def _race(losses: list[str]) -> None:
    state = {"race_width": 4, "race_losses": losses, "race_speed": "four", "race_steps": 600}
    for key, value in state.items():
        st.session_state.setdefault(key, value)
    show_race()


def elsewhere() -> None:
    """Nothing of the race."""
    st.title("Elsewhere")


st.set_page_config(layout="wide")
apply_style()
shared_jobs().lease_s = LEASE_S
page = st.navigation(
    [st.Page(race, title="Race", default=True), st.Page(wide, title="Wide"), st.Page(elsewhere, title="Elsewhere")]
)
read_url("elsewhere" if page.title == "Elsewhere" else "losses")
page.run()
write_url()

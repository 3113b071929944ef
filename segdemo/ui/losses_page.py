"""The Losses page: one view at a time of what a loss rewards and punishes."""

from collections.abc import Callable
from importlib import import_module

import streamlit as st

from segdemo.text import _
from segdemo.ui.url import VIEWS

__all__ = ["show_losses_page"]


def show_losses_page() -> None:
    """The title, the choice of a view, and the view. Only the chosen view is imported and run."""
    words = {
        "curves": _("Curves"), "spoil": _("Spoil the mask"), "race": _("Race"), "trained": _("Trained"),
        "honesty": _("Honest metrics"),
    }  # fmt: skip
    st.title(_("What does each loss reward, and what does it punish?"))
    if st.session_state.get("view") not in VIEWS:
        st.session_state["view"] = VIEWS[0]
    view = st.segmented_control(
        _("View"), VIEWS, key="view", persist_state="session", required=True, format_func=lambda name: words[name],
        label_visibility="collapsed", help=_("Five ways to look at the same losses."),
    )  # fmt: skip
    show: Callable[[], None] = getattr(import_module(f"segdemo.ui.losses_{view}"), f"show_{view}")
    show()

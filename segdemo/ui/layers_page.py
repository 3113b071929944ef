"""The Layers page: one layer at a time, every cell of it with what it is made of."""

from importlib import import_module
from importlib.util import find_spec

import streamlit as st

from segdemo.text import _
from segdemo.ui.layers_settings import drop_unknown, switch_layer
from segdemo.ui.url import LAYERS
from segdemo.ui.words import plain

__all__ = ["show_layers_page"]

CONTROL = "layers_view"


def show_layers_page() -> None:
    """The title, the choice of a view, and the view. Only the chosen view is imported and run."""
    words = {
        "convolution": _("Convolution"), "mixing": _("1×1 and blocks"), "pooling": _("Pooling"), "upsampling": _("Up-sampling"),
        "coverage": _("Checkerboard"), "field": _("Receptive field"), "normalise": _("Normalise, activate"),
        "shapes": _("Shape walk"),
    }  # fmt: skip
    st.title(_("What does each layer do to every cell?"))
    views = [view for view in LAYERS if find_spec(f"segdemo.ui.layers_{view}")]
    if st.session_state.get("layer") not in views:
        switch_layer(views[0])
    st.session_state[CONTROL] = st.session_state["layer"]
    st.segmented_control(
        _("Layer"), views, key=CONTROL, required=True, format_func=lambda name: words[name], label_visibility="collapsed",
        help=_("Which kind of layer is taken apart."), on_change=_changed,
    )  # fmt: skip
    place = st.empty()
    layer = st.session_state["layer"]
    getattr(import_module(f"segdemo.ui.layers_{layer}"), f"show_{layer}")()
    if messages := drop_unknown():
        place.warning(plain(" ".join(messages), 600), icon=":material/rule:")


def _changed() -> None:
    switch_layer(str(st.session_state[CONTROL]))

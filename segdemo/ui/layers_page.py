"""The Layers page: one layer at a time, every cell of it with what it is made of."""

from importlib import import_module

import streamlit as st

from segdemo.text import _
from segdemo.ui.layers_cell import CELL
from segdemo.ui.layers_parameter import drop_unknown, know, reset_settings, settings_text, switch_layer
from segdemo.ui.url import LAYERS, address, write_url
from segdemo.ui.words import plain

__all__ = ["show_layers_page"]

CONTROL = "layers_view"
WITHOUT_THEATRE = ("field", "shapes")


@st.fragment
def show_layers_page() -> None:
    """The title, the choice of a view, and the view. Only the chosen view is imported and run.

    The link stands above the view and is made after it, when every setting is one that works.
    """
    words = {
        "convolution": _("Convolution"), "mixing": _("1×1 and blocks"), "pooling": _("Pooling"), "upsampling": _("Up-sampling"),
        "coverage": _("Checkerboard"), "field": _("Receptive field"), "normalise": _("Normalise, activate"),
        "shapes": _("Shape walk"),
    }  # fmt: skip
    head = st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="layers_head")
    head.title(_("What does each layer do to every cell?"), width="stretch")
    if st.session_state.get("layer") not in LAYERS:
        switch_layer(LAYERS[0])
    st.session_state[CONTROL] = st.session_state["layer"]
    st.segmented_control(
        _("Layer"), LAYERS, key=CONTROL, required=True, format_func=lambda name: words[name], label_visibility="collapsed",
        help=_("Which kind of layer to look at."), on_change=_changed,
    )  # fmt: skip
    place = st.empty()
    layer = st.session_state["layer"]
    view = import_module(f"segdemo.ui.layers_{layer}")
    know(("predict", *view.SETTINGS, *(() if layer in WITHOUT_THEATRE else (CELL,))))
    getattr(view, f"show_{layer}")()
    if messages := drop_unknown():
        place.warning(plain(" ".join(messages), 600), icon=":material/rule:")
    with head:
        _link()
    write_url()


def _link() -> None:
    """The address that restores the view exactly, ready to copy, and the way back to how it was at first."""
    with st.popover(_("Link to this view"), icon=":material/link:", type="tertiary", help=_("An address with all the settings.")):
        st.code(address(), language=None, wrap_lines=True)
    st.button(
        _("Reset"), icon=":material/restart_alt:", type="tertiary", key="layers_reset", disabled=not settings_text(),
        help=_("Puts all settings of this view back to how they were at first."), on_click=reset_settings,
    )  # fmt: skip


def _changed() -> None:
    switch_layer(str(st.session_state[CONTROL]))

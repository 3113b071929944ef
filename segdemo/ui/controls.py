"""The controls of a segmentation's look. They redraw; none of them runs a network."""

from dataclasses import dataclass

import streamlit as st

from segdemo.text import _
from segdemo.ui.url import STYLES

__all__ = ["View", "view_controls"]


@dataclass(frozen=True)
class View:
    """How a prediction is drawn."""

    opacity: float = 0.55
    contour: bool = False
    threshold: float = 0.5
    errors: bool = False


def view_controls(binary: bool, has_truth: bool) -> View:
    """The widgets, whose values also stand in the address (see `url.py`)."""
    words = {"fill": _("Fill"), "contour": _("Contour")}
    style = st.segmented_control(
        _("Overlay"), STYLES, key="style", persist_state="session", required=True,
        format_func=lambda kind: words[kind], help=_("Coloured areas, or only their borders."),
    )  # fmt: skip
    opacity = st.slider(
        _("Opacity"), 0, 100, step=5, format="%d %%", key="opacity", persist_state="session", disabled=style == "contour",
        help=_("How strongly the classes cover the picture."),
    )  # fmt: skip
    threshold = 50
    if binary:
        threshold = st.slider(
            _("Threshold"), 0, 100, format="%d %%", key="threshold", persist_state="session",
            help=_("From which probability on a pixel counts as foreground. Lower finds more, higher is surer."),
        )  # fmt: skip
    errors = False
    if has_truth:
        errors = st.toggle(
            _("Show errors"),
            key="errors",
            persist_state="session",
            help=_("Colour what was found, missed and falsely found, against the exact mask."),
        )
    return View(opacity / 100, style == "contour", threshold / 100, errors)

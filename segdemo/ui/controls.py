"""The controls of a segmentation's look. They redraw; none of them runs a network."""

from dataclasses import dataclass

import streamlit as st

from segdemo.text import _

__all__ = ["View", "view_controls"]


@dataclass(frozen=True)
class View:
    """How a prediction is drawn."""

    opacity: float = 0.55
    contour: bool = False
    threshold: float = 0.5
    errors: bool = False


def view_controls(binary: bool, has_truth: bool) -> View:
    """The widgets, bound to the URL; values typed there are brought back into their ranges."""
    fill, contour = "fill", "contour"
    words = {fill: _("Fill"), contour: _("Contour")}
    style = st.segmented_control(
        _("Overlay"), [fill, contour], default=fill, key="style", bind="query-params", required=True,
        format_func=lambda kind: words[kind], help=_("Coloured areas, or only their borders."),
    )  # fmt: skip
    opacity = st.slider(
        _("Opacity"), 0, 100, 55, 5, format="%d %%", key="opacity", bind="query-params", disabled=style == contour,
        help=_("How strongly the classes cover the picture."),
    )  # fmt: skip
    threshold = 50
    if binary:
        threshold = st.slider(
            _("Threshold"), 0, 100, 50, 1, format="%d %%", key="threshold", bind="query-params",
            help=_("From which probability on a pixel counts as foreground. Lower finds more, higher is surer."),
        )  # fmt: skip
    errors = False
    if has_truth:
        errors = st.toggle(_("Show errors"), key="errors", help=_("Colour what was found, missed and falsely found, against the exact mask."))
    return View(_percent(opacity), style == contour, _percent(threshold), errors)


def _percent(value: float) -> float:
    return min(100.0, max(0.0, float(value))) / 100

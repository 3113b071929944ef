"""The controls of a pooling's windows. Each knows from the others how far it can go, and the page says what stops it."""

import streamlit as st

from segdemo.layerlab.pooling import Pooling
from segdemo.layerlab.pooling_scene import Kind
from segdemo.layerlab.sizes import extent
from segdemo.text import _
from segdemo.ui.layers_frame import reasons, two_columns
from segdemo.ui.layers_settings import number_setting, switch_setting

__all__ = ["windows_setting"]


def windows_setting(kind: Kind, size: int) -> Pooling:
    """The sliders, each as far as the others leave room, and sentences about what stops them."""
    if kind == "global":
        st.caption(
            _("One window as large as the input: there is nothing to set. A classifier ends like this, whatever the size.")
        )
        return Pooling((size, size), (1, 1))
    stops: list[str] = []
    left, right = two_columns()
    with left:
        most = min(5, size)
        if most < 5:
            stops.append(_("The window has to fit into {n} cells.", n=size))
        kernel = number_setting("k", _("Window"), 1, most, 2, help=_("Cells along each side of the window."), why="".join(stops))
    with right:
        stride = number_setting("s", _("Stride"), 1, 4, 2, help=_("Cells by which the window moves on."))
    left, right = two_columns()
    with left:
        padding = _padding(kind, kernel, stops)
    with right:
        dilation = _dilation(kind, kernel, size, stops)
    ceil_mode, counts = _rounding(kind, padding, stops)
    reasons(stops)
    return Pooling((kernel,) * 2, (stride,) * 2, (padding,) * 2, (dilation,) * 2, ceil_mode, counts)


def _padding(kind: Kind, kernel: int, stops: list[str]) -> int:
    why = _("Padding is half of the window at most: beyond it, a window could see nothing else.")
    stops.append("" if kind == "strided" else why)
    most = 2 if kind == "strided" else kernel // 2
    words = _("Cells around the input: −∞ for a maximum, so that they never win, 0 otherwise.")
    return number_setting("p", _("Padding"), 0, most, 0, help=words, why=why)


def _dilation(kind: Kind, kernel: int, size: int, stops: list[str]) -> int:
    most = 1 if kernel == 1 or kind == "average" else min(3, (size - 1) // (kernel - 1))
    why = ""
    if kind == "average":
        why = _("An average has no dilation.")
    elif kernel == 1:
        why = _("A window of one cell has no gaps to widen.")
    elif most < 3:
        why = _(
            "With a dilation of {d} the window would span {span} of {n} cells.", d=most + 1, span=extent(kernel, most + 1), n=size
        )
    stops.append(why)
    return number_setting("d", _("Dilation"), 1, most, 1, help=_("Distance between the cells that a window looks at."), why=why)


def _rounding(kind: Kind, padding: int, stops: list[str]) -> tuple[bool, bool]:
    """Ceil mode, and whether an average divides by padding."""
    if kind == "strided":
        stops.append(_("A convolution has no ceil mode: its kernel always stays inside of the padding."))
    ceil_mode = switch_setting("ceil", _("Ceil mode"), disabled=kind == "strided", help=_(
        "Rounds the number of windows up instead of down: the last ones stick out, and what lies out there is "
        "not counted."))  # fmt: skip
    if kind != "average":
        return ceil_mode, True
    if not padding:
        stops.append(_("Without padding there is none to count."))
    counts = switch_setting("pad", _("Count padding"), True, disabled=not padding, help=_(
        "Whether the mean of a window divides by its padding as well (count_include_pad). Then cells at the border get "
        "smaller."))  # fmt: skip
    return ceil_mode, counts or not padding

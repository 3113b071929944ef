"""The controls of a pooling's windows. Each knows from the others how far it can go, and the page says what stops it."""

import streamlit as st

from segdemo.layerlab.pooling import Pooling
from segdemo.layerlab.pooling_layer import Kind
from segdemo.layerlab.sizes import extent
from segdemo.text import _
from segdemo.ui.layers_frame import reasons, two_columns
from segdemo.ui.layers_settings import number_setting, switch_setting

__all__ = ["windows_setting"]

LARGEST_WINDOW, LARGEST_STRIDE, LARGEST_DILATION = 5, 4, 3
STRIDED_PADDING = 2  # the most cells that a strided convolution is drawn with


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
        why = _("The window has to fit into {n} cells.", n=size) if size < LARGEST_WINDOW else ""
        tip = _("Cells along each side of the window.")
        kernel = _limited("k", _("Window"), 1, min(LARGEST_WINDOW, size), 2, tip, why, stops)
    with right:
        stride = number_setting("s", _("Stride"), 1, LARGEST_STRIDE, 2, help=_("How many cells the window moves at each step."))
    left, right = two_columns()
    with left:
        padding = _padding(kind, kernel, stops)
    with right:
        dilation = _dilation(kind, kernel, size, padding, stops)
    ceil_mode, counts = _rounding(kind, padding, stops)
    reasons(stops)
    return Pooling((kernel,) * 2, (stride,) * 2, (padding,) * 2, (dilation,) * 2, ceil_mode, counts)


def _padding(kind: Kind, kernel: int, stops: list[str]) -> int:
    if kind == "strided":
        most, why = STRIDED_PADDING, _("More than {n} cells of padding are not drawn here.", n=STRIDED_PADDING)
        words = _("Zeros around the input.")
    else:
        most, why = kernel // 2, _("Padding is at most half of the window: with more, a window could see nothing else.")
        words = {"max": _("Cells around the input: −∞, so that they never win."), "average": _("Zeros around the input.")}[kind]
    return _limited("p", _("Padding"), 0, most, 0, words, why, stops)


def _dilation(kind: Kind, kernel: int, size: int, padding: int, stops: list[str]) -> int:
    room = size + 2 * padding if kind == "strided" else size
    most = 1 if kernel == 1 or kind == "average" else min(LARGEST_DILATION, (room - 1) // (kernel - 1))
    why = ""
    if kind == "average":
        why = _("Average pooling has no dilation.")
    elif kernel == 1:
        why = _("A window of one cell has no gaps to widen.")
    elif most < LARGEST_DILATION:
        why = _(
            "With a dilation of {d} the window would span {span} cells, but there are only {n}.",
            d=most + 1,
            span=extent(kernel, most + 1),
            n=room,
        )
    return _limited("d", _("Dilation"), 1, most, 1, _("Distance between the cells that a window looks at."), why, stops)


def _limited(name: str, label: str, low: int, most: int, usual: int, tip: str, why: str, stops: list[str]) -> int:
    """A slider up to `most`; why is put to the reasons below the sliders where it stands there."""
    value = number_setting(name, label, low, most, usual, help=tip, why=why)
    stops.append(why if value == most else "")
    return value


def _rounding(kind: Kind, padding: int, stops: list[str]) -> tuple[bool, bool]:
    """Ceil mode, and whether an average divides by padding."""
    if kind == "strided":
        stops.append(_("A convolution has no ceil mode: its kernel always stays inside the padding."))
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

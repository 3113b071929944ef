"""The palette of the Receptive field view: a layer to put on top of the stack."""

from collections.abc import Callable

import streamlit as st

from segdemo.errors import SettingError
from segdemo.layerlab.stacks import StackKind, StackLayer, up
from segdemo.text import _
from segdemo.ui.layers_parameter import key_of

__all__ = ["show_palette"]

STRIDES = {"conv": 1, "maxpool": 2, "avgpool": 2, "upconv": 2, "nearest": 2, "bilinear": 2}
NUMBER_WIDTH = 70  # pixels
KERNELS = {"conv": 3, "maxpool": 2, "avgpool": 2, "upconv": 2}


def show_palette(add: Callable[[StackLayer], None]) -> None:
    """Kind, kernel, stride and dilation, as far as the kind has them, and a button."""
    with st.popover(_("Add a layer"), icon=":material/add:", width="stretch", type="primary"):
        names: dict[StackKind, str] = {
            "conv": _("Convolution"), "maxpool": _("Max-pooling"), "avgpool": _("Average pooling"),
            "upconv": _("Transposed convolution"), "nearest": _("Nearest"), "bilinear": _("Bilinear"),
        }  # fmt: skip
        kind = st.selectbox(_("Layer"), list(names), key=key_of("kind"), format_func=lambda name: names[name])
        layer = _chosen(kind)
        st.button(_("Add this layer"), key=key_of("add"), type="primary", width="stretch", disabled=layer is None,
                  on_click=lambda: add(layer) if layer else None)  # fmt: skip


def _chosen(kind: StackKind) -> StackLayer | None:
    """The layer as its numbers say; None, with the sentence, where it cannot be."""
    if kind in {"nearest", "bilinear"}:
        return up(kind, _number(kind, "stride", _("Factor"), 1, 4, STRIDES[kind], _("How much larger the map gets.")))
    with st.container(horizontal=True, gap="xsmall"):  # side by side, on a phone too: the button below them stays in sight
        first, second, *third = (st.container(width=NUMBER_WIDTH) for _number_of in range(3 if kind == "conv" else 2))
    with second:
        stride = _number(kind, "stride", _("Stride"), 1, 4, STRIDES[kind], _("How far the window jumps."))
    least = stride if kind == "upconv" else 1
    usual = max(least, KERNELS[kind])
    with first:
        kernel = _number(kind, f"kernel{least}", _("Kernel"), least, 11, usual, _("Cells along a side of the window."))
    dilation = 1
    for column in third:
        with column:
            dilation = _number(kind, "dilation", _("Dilation"), 1, 16, 1, _("Distance between the cells that it reads."))
    try:
        return StackLayer(kind, kernel, stride, dilation)
    except SettingError as error:
        st.caption(str(error))
        return None


def _number(kind: str, name: str, label: str, low: int, high: int, value: int, tip: str) -> int:
    return int(st.number_input(label, low, high, value, key=key_of(f"{kind}_{name}"), help=tip))

"""The palette of the Receptive field view: a layer to put on top of the stack."""

from collections.abc import Callable

import streamlit as st

from segdemo.errors import SettingError
from segdemo.layerlab.stacks import StackKind, StackLayer, up
from segdemo.text import _
from segdemo.ui.layers_settings import key_of

__all__ = ["show_palette"]

STRIDES = {"conv": 1, "maxpool": 2, "avgpool": 2, "upconv": 2, "nearest": 2, "bilinear": 2}
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
        st.button(_("Put it on top"), key=key_of("add"), type="primary", width="stretch", disabled=layer is None,
                  on_click=lambda: add(layer) if layer else None)  # fmt: skip


def _chosen(kind: StackKind) -> StackLayer | None:
    """The layer as its sliders say; None, with the sentence, where it cannot be."""
    stride = _number(kind, "stride", _("Factor") if kind in ("nearest", "bilinear") else _("Stride"), 1, 4, STRIDES[kind], _(
        "How far the window jumps; for up-sampling, how much larger the map gets."))  # fmt: skip
    if kind in {"nearest", "bilinear"}:
        return up(kind, stride)
    least = stride if kind == "upconv" else 1
    kernel = _number(
        kind, f"kernel{least}", _("Kernel"), least, 11, max(least, KERNELS[kind]), _("Cells along a side of the window.")
    )
    dilation = (
        _number(kind, "dilation", _("Dilation"), 1, 16, 1, _("Distance of the cells that it reads.")) if kind == "conv" else 1
    )
    try:
        return StackLayer(kind, kernel, stride, dilation)
    except SettingError as error:
        st.caption(str(error))
        return None


def _number(kind: str, name: str, label: str, low: int, high: int, value: int, tip: str) -> int:
    return int(st.slider(label, low, high, value, key=key_of(f"{kind}_{name}"), help=tip))

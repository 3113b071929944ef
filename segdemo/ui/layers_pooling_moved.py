"""What a move of the picture by a pixel changes behind each kind of layer that shrinks it."""

from dataclasses import replace

import numpy as np
import streamlit as st

from segdemo.layerlab.patches import edge_kernel
from segdemo.layerlab.pooling import Pooling
from segdemo.layerlab.pooling_layer import Float, Shrinking, changed, moved, shrunk
from segdemo.text import _

__all__ = ["compare"]


def compare(wide: Float, layer: Shrinking, by: int, room: int) -> None:
    """A table: the same move, see `moved`, for each kind of layer with these windows."""
    settings = replace(layer.settings, dilation=(1, 1))
    if layer.kind == "global":
        settings = Pooling((2, 2), (2, 2))
    layers = {_("Maximum"): Shrinking("max", replace(settings, padding=(0, 0))),
              _("Average"): Shrinking("average", replace(settings, padding=(0, 0))),
              _("Strided convolution"): Shrinking("strided", replace(settings, padding=(0, 0)),
                                                  edge_kernel((1, 1, *settings.kernel))[0, 0])}  # fmt: skip
    rows = [f"| {title} | {_changes(wide, other, by, room)} |" for title, other in layers.items()]
    window, stride = settings.kernel[0], settings.stride[0]
    head = _("Window {k}, stride {s}, no padding: outputs that changed", k=window, s=stride)
    st.markdown("\n".join((f"| {_('Layer')} | {head} |", "|---|---|", *rows)))
    st.caption(_("A move by {s}, a whole stride, shifts the output by exactly one cell; what happens in between is not a shift "
                 "of the output at all. That is why networks with strides are somewhat sensitive to small moves.", s=stride)
               if stride > 1 else _("With stride 1 every move of the picture is the same move of the output."))  # fmt: skip


def _changes(wide: Float, layer: Shrinking, by: int, room: int) -> str:
    before, after = (shrunk(image, layer) for image in moved(wide, by, room))
    others = changed(before, after)
    mean = f"{np.abs(before - after).mean():.2g}"
    return _("{n} of {all}, by {mean} on average", n=int(others.sum()), all=others.size, mean=mean)

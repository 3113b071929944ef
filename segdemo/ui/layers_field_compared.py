"""Two stacks side by side: what each sees, and what that costs."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from segdemo.errors import SettingError
from segdemo.layerlab.stack_influence import Weights
from segdemo.layerlab.stack_presets import STACKS, known_layers
from segdemo.layerlab.stacks import StackLayer
from segdemo.text import _, few
from segdemo.ui.layers_field_data import Total, measured, total_of
from segdemo.ui.layers_field_influence import holding
from segdemo.ui.layers_settings import choice_setting
from segdemo.ui.words import compact_number

__all__ = ["show_compared"]

Stack = tuple[StackLayer, ...]


def show_compared(layers: Stack, name: str, channels: int, picture: int, weights: Weights, seed: int) -> None:
    """A table of the stack and another one, and in a sentence what the difference is."""
    others = {"none": _("nothing")} | {key: _(known.title) for key, known in STACKS.items() if key != name}
    usual = STACKS[name].against if name and STACKS[name].against in others else "none"
    with st.container(width=280):
        other = choice_setting("against", _("Compare with"), others, usual,
                               help=_("Another stack, measured the same way."),
                               why=_("Stacks to compare with: {names}.", names=few(STACKS)))  # fmt: skip
    if other == "none" or not layers:
        return
    rival = known_layers(other)
    try:
        totals = [total_of(measured(stack, channels, picture)) for stack in (layers, rival)]
    except SettingError as error:
        st.caption(str(error))
        return
    titles = [_(STACKS[name].title) if name else _("This stack"), _(STACKS[other].title)]
    held = [holding(stack, weights, seed) for stack in (layers, rival)]
    measures = {
        _("Sees, px"): [f"{total.field_px} × {total.field_px}" for total in totals],
        _("95 % within, px"): [f"{side} × {side}" for side in held],
        _("Weights, c = {c}", c=channels): [
            f"{squares(stack)} = {total.params:,}" for stack, total in zip((layers, rival), totals, strict=True)
        ],
        _("Multiply-adds"): [compact_number(total.macs) for total in totals],
        _("Activations"): [str(learning(stack)) for stack in (layers, rival)],
    }
    st.table(pd.DataFrame(measures, index=titles).T, border="horizontal", width="content")
    st.markdown(_sentence(titles[1], totals))


def learning(stack: Stack) -> int:
    """Layers with weights: after each there is an activation."""
    return sum(layer.learns for layer in stack)


def squares(stack: Stack) -> str:
    """The weights in multiples of c²: 18c²."""
    return f"{sum(layer.kernel**2 for layer in stack if layer.learns)}c²"


def _sentence(other: str, totals: Sequence[Total]) -> str:
    """What the difference is: fields alike or not, and fewer, as many or more weights. other: the second stack's title."""
    one, another = totals
    a, b, params, other_params = one.field_px, another.field_px, one.params, another.params
    if not other_params:
        return _("The same field.") if a == b else _("A field of {a} instead of {b} pixels.", a=a, b=b)
    p = round(100 * abs(params / other_params - 1))
    if params == other_params:
        return _("The same field, with the same number of weights.") if a == b else _(
            "A field of {a} instead of {b} pixels, with the same number of weights.", a=a, b=b)  # fmt: skip
    if params < other_params:
        if a == b:
            return _("The same field, with {p} % fewer weights than {other}.", p=p, other=other)
        return _("A field of {a} instead of {b} pixels, with {p} % fewer weights than {other}.", a=a, b=b, p=p, other=other)
    if a == b:
        return _("The same field, with {p} % more weights than {other}.", p=p, other=other)
    return _("A field of {a} instead of {b} pixels, with {p} % more weights than {other}.", a=a, b=b, p=p, other=other)

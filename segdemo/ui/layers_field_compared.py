"""Two stacks side by side: what each sees, and what that costs."""

import streamlit as st

from segdemo.errors import SettingError
from segdemo.layerlab.stack_influence import Weights
from segdemo.layerlab.stack_presets import STACKS
from segdemo.layerlab.stacks import StackLayer, parse_stack
from segdemo.text import _
from segdemo.ui.layers_field_data import holding, measured, total_of
from segdemo.ui.layers_settings import choice_setting
from segdemo.ui.words import compact_number

__all__ = ["show_compared"]

Stack = tuple[StackLayer, ...]


def show_compared(layers: Stack, name: str, channels: int, picture: int, weights: Weights, seed: int) -> None:
    """A table of the stack and another one, and in a sentence what the difference is."""
    others = {"none": _("nothing")} | {key: _(known.title) for key, known in STACKS.items() if key != name}
    usual = STACKS[name].against if name and STACKS[name].against in others else "none"
    with st.container(width=280):
        other = choice_setting("against", _("Against"), others, usual, help=_("Another stack, measured the same way."))
    if other == "none" or not layers:
        return
    rival = parse_stack(STACKS[other].layers)
    try:
        totals = [total_of(measured(stack, channels, picture)) for stack in (layers, rival)]
    except SettingError as error:
        st.caption(str(error))
        return
    titles = [_(STACKS[name].title) if name else _("This stack"), _(STACKS[other].title)]
    rows = []
    for title, stack, (field, params, macs) in zip(titles, (layers, rival), totals, strict=True):
        held = holding(stack, weights, seed)
        cells = [f"**{title}**", f"{field} × {field}", f"{held} × {held}", f"{squares(stack)} = {params:,}", compact_number(macs)]
        rows.append(f"| {' | '.join(cells)} | {learning(stack)} |")
    head = [_("Stack"), _("Sees, px"), _("95 % within, px"), _("Weights"), _("MACs"), _("Activations")]
    st.markdown("\n".join([f"| {' | '.join(head)} |", "|---|---:|---:|---:|---:|---:|", *rows]))
    st.markdown(_sentence(titles, totals))


def learning(stack: Stack) -> int:
    """Layers with weights: after each there is an activation."""
    return sum(layer.learns for layer in stack)


def squares(stack: Stack) -> str:
    """The weights in multiples of c²: 18c²."""
    return f"{sum(layer.kernel**2 for layer in stack if layer.learns)}c²"


def _sentence(titles: list[str], totals: list[tuple[int, int, int]]) -> str:
    (field, params, _macs), (other_field, other_params, _other_macs) = totals
    fields = _("The same field") if field == other_field else _("A field of {a} instead of {b} pixels", a=field, b=other_field)
    if params == other_params or not other_params:
        return f"{fields}{_(', for as many weights.') if params == other_params else '.'}"
    share = params / other_params - 1
    more = _("{p} % fewer weights", p=round(-100 * share)) if share < 0 else _("{p} % more weights", p=round(100 * share))
    return _("{fields}, with {more} than {other}.", fields=fields, more=more, other=titles[1])

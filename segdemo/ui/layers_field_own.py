"""The Receptive field view of a stack of one's own: presets, the palette, moves, and the question about its last layer."""

from typing import cast

import streamlit as st

from segdemo.errors import SettingError
from segdemo.layerlab.stack_influence import Weights
from segdemo.layerlab.stack_language import parse_stack, write_stack
from segdemo.layerlab.stack_levels import Level, check_growth
from segdemo.layerlab.stack_presets import STACKS, known_layers, known_name
from segdemo.layerlab.stacks import StackLayer
from segdemo.text import _
from segdemo.ui.components import receptive_field_stack
from segdemo.ui.layers_field_compared import show_compared
from segdemo.ui.layers_field_data import measured, stack_data
from segdemo.ui.layers_field_palette import show_palette
from segdemo.ui.layers_field_questions import stack_choices, stack_reason
from segdemo.ui.layers_frame import Frame, asked
from segdemo.ui.layers_parameter import keep, key_of, say, setting
from segdemo.ui.layers_row import row_number
from segdemo.ui.layers_settings import choice_setting, number_setting
from segdemo.ui.layers_undo import remember, show_undo

__all__ = ["show_own_stack"]

DEFAULT = "two_small"
COMPONENT = "layers_field_stack"
LARGEST_SIDE = 1024

Stack = tuple[StackLayer, ...]


def show_own_stack(frame: Frame) -> None:
    """The input with its squares beside the stack, and the comparison with another one."""
    whole, name = _stack()
    with frame.side:
        _known(name)
        show_palette(lambda layer: _changed((*whole, layer)))
        show_undo()
        weights, seed, channels, picture = _settings()
    with frame.place:
        found, layers = _measured(whole, channels, picture)
        covered = _question(frame.top, found, layers)
        data = stack_data(
            layers, found, weights, seed, covered, channels=channels, picture=picture, at=min(_looked(whole), len(layers) - 1)
        )
        receptive_field_stack(
            key=COMPONENT, data=data, on_changed_change=lambda: _acted(whole), on_looked_change=lambda: _look(whole)
        )
        if not layers:
            st.info(_("The stack is empty: a unit is a pixel. Add a layer."), icon=":material/layers:")
        elif name and not covered:
            st.caption(f"**{_(STACKS[name].title)}**: {_(STACKS[name].point)}")
    if not covered:
        show_compared(layers, name, channels, picture, weights, seed)


def _parsed(text: str) -> Stack:
    return known_layers(text) if text in STACKS else parse_stack(text)


def _stack() -> tuple[Stack, str]:
    """The layers, and the name of the stack where they are a known one."""
    layers = setting("stack", _parsed(DEFAULT), _parsed)
    return layers, known_name(layers)


def _changed(layers: Stack, at: int | None = None) -> None:
    """Another stack, where it can be measured at all; otherwise what is there stays, and the sentence is shown.

    at: the layer that is looked at then, from 0; the topmost where nothing is said.
    """
    try:
        check_growth(layers)
    except SettingError as error:
        st.session_state[key_of("refused")] = str(error)
        return
    remember(("stack", "at"))
    keep("stack", known_name(layers) or write_stack(layers), DEFAULT)
    _keep_at(len(layers) if at is None else at + 1, len(layers))


def _keep_at(number: int, count: int) -> None:
    """The layer that is looked at, from 1; without one it is the topmost."""
    keep("at", number, count)


def _looked(layers: Stack) -> int:
    """The layer that the address says is looked at, from 0; the topmost where it says nothing, or what there is not."""
    number = setting("at", len(layers), row_number)
    if number > len(layers):
        say(_("There is no layer {n}: the stack has {count}. The top one is shown.", n=number, count=len(layers)))
        keep("at", None)
    return min(number, len(layers)) - 1


def _look(layers: Stack) -> None:
    at = st.session_state[COMPONENT].get("looked")
    if at is not None and 0 <= int(at) < len(layers):
        _keep_at(int(at) + 1, len(layers))


def _acted(layers: Stack) -> None:
    """A button of a row: move the layer, or take it away."""
    change = st.session_state[COMPONENT].get("changed")
    if not change or not 0 <= int(change["at"]) < len(layers):
        return
    at, rest = int(change["at"]), [*layers]
    layer = rest.pop(at)
    if change["act"] == "remove":
        return _changed(tuple(rest), min(at, len(rest) - 1))
    to = max(0, at + (1 if change["act"] == "down" else -1))
    rest.insert(to, layer)
    _changed(tuple(rest), to)


def _known(name: str) -> None:
    key = key_of("known")
    st.session_state[key] = name or None
    st.selectbox(
        _("Start from"), list(STACKS), key=key, format_func=lambda option: _(STACKS[option].title),
        placeholder=_("A stack of your own"),
        help=_("Stacks that are worth a look. Change them as you like."),
        on_change=lambda: _changed(_parsed(st.session_state[key])) if st.session_state[key] else None,
    )  # fmt: skip


def _settings() -> tuple[Weights, int, int, int]:
    words = {"equal": _("All equal"), "random": _("Random")}
    weights = cast(Weights, choice_setting("w", _("Weights"), words, "equal", compact=True, help=_(
        "Equal weights count the paths from a pixel to the unit. Random ones are one draw, as before training.")))  # fmt: skip
    seed = number_setting("seed", _("Draw"), 0, 9, 0, help=_("New random weights.")) if weights == "random" else 0
    with st.popover(_("Channels and picture"), icon=":material/tune:", width="stretch"):
        channels = number_setting(
            "c", _("Channels c"), 1, 512, 64, folded=True, help=_("Of every layer, in and out. A 3×3 has 9c² weights.")
        )
        picture = number_setting("side", _("Picture, px"), 16, LARGEST_SIDE, 224, folded=True, help=_(
            "Its side: multiply-adds grow with it, the field does not."))  # fmt: skip
    return weights, seed, channels, picture


def _measured(layers: Stack, channels: int, picture: int) -> tuple[tuple[Level, ...], Stack]:
    """The levels of as many layers as can be drawn; what hinders the rest is said."""
    if refused := st.session_state.pop(key_of("refused"), None):
        st.error(refused, icon=":material/block:")
    count = len(layers)
    while count:
        try:
            return measured(layers[:count], channels, picture), layers[:count]
        except SettingError as error:
            if count == len(layers):
                st.error(_("{why} As much of it as works is shown.", why=error), icon=":material/error:")
            count -= 1
    return (), ()


def _question(top: st.delta_generator.DeltaGenerator, found: tuple[Level, ...], layers: Stack) -> bool:
    """How far the last layer sees; True while that has to stay hidden."""
    if not found:
        return False
    question = _("How many input pixels does a unit of the last layer see?")
    return asked(top, question, stack_choices(found), str(found[-1].field_px), stack_reason(found), about=write_stack(layers))

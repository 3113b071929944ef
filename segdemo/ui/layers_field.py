"""The Receptive field view: layers on a stack, and what one unit on top of it sees of the input."""

from typing import cast

import streamlit as st

from segdemo.errors import SettingError
from segdemo.layerlab.stack_influence import Weights, influence
from segdemo.layerlab.stack_presets import STACKS, known_layers, known_name
from segdemo.layerlab.stacks import Level, StackLayer, best_unit, parse_stack, seen_by, write_stack
from segdemo.models import TITLES
from segdemo.text import _
from segdemo.ui.architectures_data import families
from segdemo.ui.components import receptive_field_stack
from segdemo.ui.layers_field_compared import show_compared
from segdemo.ui.layers_field_data import measured, network_data, stack_data
from segdemo.ui.layers_field_effective import show_effective
from segdemo.ui.layers_field_palette import show_palette
from segdemo.ui.layers_frame import Frame, asked, explain, framed, introduce
from segdemo.ui.layers_settings import choice_setting, keep, key_of, number_setting, setting

__all__ = ["SETTINGS", "show_field"]

SETTINGS = ("from", "stack", "w", "seed", "c", "side", "against", "net", "stage")
DEFAULT = "two_small"
COMPONENT = "layers_field_stack"
LARGEST_SIDE = 1024

Stack = tuple[StackLayer, ...]


def show_field() -> None:
    """Two sentences, the input with its squares beside the stack, the comparison, and the explanation."""
    introduce(_("Each layer sees a small window of the one below; through all of them one unit sees a growing square of the "
                "input. The pixels in its middle count most: more ways lead from there."))  # fmt: skip
    frame = framed()
    with frame.side:
        words = {"stack": _("Own stack"), "network": _("Encoder")}
        source = choice_setting("from", _("Layers of"), words, "stack", compact=True, help=_(
            "A stack that you build, or the encoder of a network as its paper has it."))  # fmt: skip
    if source == "stack":
        _own_stack(frame)
    else:
        _network(frame)
    _explain()


# ---- a stack of one's own ------------------------------------------------------------------------------------------------------


def _own_stack(frame: Frame) -> None:
    layers, name = _stack()
    with frame.side:
        _known(name)
        show_palette(lambda layer: _changed((*layers, layer)))
        weights, seed, channels, picture = _settings()
    with frame.place:
        found, layers = _measured(layers, channels, picture)
        covered = _question(frame.top, found)
        data = stack_data(layers, found, weights, seed, covered)
        receptive_field_stack(key=COMPONENT, data=data, on_changed_change=lambda: _acted(layers))
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


def _changed(layers: Stack) -> None:
    """Another stack, where it can be measured at all; otherwise what is there stays, and the sentence is shown."""
    try:
        measured(layers, 1, 1 << 20)
    except SettingError as error:
        st.session_state[key_of("refused")] = str(error)
        return
    keep("stack", known_name(layers) or write_stack(layers), DEFAULT)


def _acted(layers: Stack) -> None:
    """A button of a row: move the layer, or take it away."""
    change = st.session_state[COMPONENT].get("changed")
    if not change or not 0 <= int(change["at"]) < len(layers):
        return
    at, rest = int(change["at"]), [*layers]
    layer = rest.pop(at)
    if change["act"] != "remove":
        rest.insert(max(0, at + (1 if change["act"] == "down" else -1)), layer)
    _changed(tuple(rest))


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
        "Equal weights count the ways from a pixel to the unit. Random ones are one draw, as before training.")))  # fmt: skip
    seed = number_setting("seed", _("Draw"), 0, 9, 0, help=_("Other random weights.")) if weights == "random" else 0
    with st.popover(_("Channels and picture"), icon=":material/tune:", width="stretch"):
        channels = number_setting("c", _("Channels c"), 1, 512, 64, help=_("Of every layer, in and out. A 3×3 has 9c² weights."))
        picture = number_setting(
            "side", _("Picture, px"), 16, LARGEST_SIDE, 224, help=_("Its side: MACs grow with it, the field does not.")
        )
    return weights, seed, channels, picture


def _measured(layers: Stack, channels: int, picture: int) -> tuple[tuple[Level, ...], Stack]:
    """The levels of as many layers as can be drawn; what hinders the rest is said."""
    if refused := st.session_state.pop(key_of("refused"), None):
        st.error(refused, icon=":material/block:")
    for count in range(len(layers), -1, -1):
        try:
            return measured(layers[:count], channels, picture), layers[:count]
        except SettingError as error:
            if count == len(layers):
                st.error(str(error), icon=":material/error:")
    raise AssertionError


def _question(top: st.delta_generator.DeltaGenerator, found: tuple[Level, ...]) -> bool:
    """How far the last layer sees; True while that has to stay hidden."""
    if not found:
        return False
    right = found[-1].field_px
    summed = sum(level.layer.kernel for level in found)  # forgetting that windows overlap
    once = 1 + sum(level.layer.kernel - 1 for level in found)  # forgetting strides and dilation
    wrong = [n for n in dict.fromkeys((summed, once, right + 2, right - 2)) if n != right and n > 0][:3]
    choices = {str(n): f"{n} × {n}" for n in sorted({right, *wrong})}
    why = _("The last step: {formula}.", formula=found[-1].formula)
    return asked(top, _("How many pixels does a unit of the last layer see?"), choices, str(right), why)


# ---- a network -----------------------------------------------------------------------------------------------------------------


def _network(frame: Frame) -> None:
    names = [name for _entry, members in families() for name in members]
    with frame.side:
        name = choice_setting("net", _("Network"), {n: TITLES[n] for n in names}, "unet", help=_("At the size of its paper."))
    with frame.place:
        try:
            with st.spinner(_("Following every operation of the network …")):
                data = network_data(name)
        except SettingError as error:
            st.error(str(error), icon=":material/error:")
            return
        receptive_field_stack(key="layers_field_network", data=data)
        st.caption(_("Thin line: the picture of {n} pixels. Fields are followed exactly through every operation; they are what a "
                     "unit can see. What it listens to is below.", n=data["picture"]))  # fmt: skip
        show_effective(name)


# ---- the explanation -----------------------------------------------------------------------------------------------------------


def _explain() -> None:
    text = _(
        "Three numbers go up with the layers: the **field** r, the **jump** j between neighbouring units, in pixels of the "
        "input, and where the first unit lies. A kernel of k adds k − 1 jumps, a dilation d as many times d; a stride multiplies "
        "the jump, so that every *later* layer grows faster. After up-sampling the units take turns; the one that sees most is "
        "shown.\n\nWhat a unit *can* see is not what it listens to. Without activations its gradient is a sum over all ways down "
        "to a pixel: few lead to the corners, many to the middle. Stacked kernels blur into a bell, whose width grows with the "
        "root of the depth. Training, skips and dilation widen it again. Max-pooling counts as a mean here: which input "
        "wins depends on the picture."
    )
    formulas = (r"r_l = r_{l-1} + (k_l - 1)\, d_l\, j_{l-1}", r"j_l = j_{l-1}\, s_l",
                r"\text{start}_l = \text{start}_{l-1} + \left(\tfrac{k_l - 1}{2} d_l - p_l\right) j_{l-1}",
                r"\text{weights} = k^2 c^2, \quad \text{MACs} = k^2 c^2\, h\, w")  # fmt: skip
    papers = (
        ("Araujo, Norris, Sim: Computing Receptive Fields of Convolutional Neural Networks, Distill 2019", "https://distill.pub/2019/computing-receptive-fields/"),
        ("Luo, Li, Urtasun, Zemel: Understanding the Effective Receptive Field, NeurIPS 2016", "https://arxiv.org/abs/1701.04128"),
        ("Simonyan, Zisserman: Very Deep Convolutional Networks, ICLR 2015", "https://arxiv.org/abs/1409.1556"),
    )  # fmt: skip
    explain(text, formulas, papers, (StackLayer.inputs_of, seen_by, best_unit, influence))

"""The controls of a view of the Layers page, whose values stand in one parameter of the address.

Each control shows what the parameter says and writes what was chosen back, so that a link restores a view exactly. Values
typed there by hand pass the same checks as a control's; an impossible one is said in a sentence and becomes the nearest.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Literal, TypeVar

import streamlit as st

from segdemo.errors import SettingError
from segdemo.text import _, few, quoted
from segdemo.ui.layers_parameter import LAYER_KEY, keep, key_of, say, setting, short_number

__all__ = ["choice_setting", "decimal_setting", "nearest", "number_setting", "switch_setting"]

LabelVisibility = Literal["visible", "collapsed"]
Number = TypeVar("Number", int, float)
Word = TypeVar("Word", bound=str)
FOLDED_KEY = "layers_folded"


def nearest(label: str, value: Number, low: Number, high: Number, why: str = "") -> Number:
    """The value, or the nearest from low to high: then the page says what became of it, and why."""
    inside = min(max(value, low), high)
    if inside != value:
        say(_("{label} is now {value} instead of {before}.", label=label, value=_read(inside), before=_read(value)), why)
    return inside


def _read(value: float) -> str:
    return (f"{value:g}" if isinstance(value, float) else str(value)).replace("-", "−")


def _written(value: object) -> object:
    """A value of a control as it stands in the address."""
    return int(value) if isinstance(value, bool) else short_number(value) if isinstance(value, float) else value


def _key(name: str, value: object, folded: bool) -> str:
    """The key of a control, which shows the value.

    folded: in something that can be closed. There the browser would keep the value it knows and send it with the next change
    of anything, as if it had been chosen; where the page has changed the value, the control is therefore a new one.
    """
    key = key_of(name)
    if folded:
        numbers: dict[str, int] = st.session_state.setdefault(FOLDED_KEY, {})
        if key in numbers and st.session_state.get(_numbered(key, numbers[key])) != value:
            numbers[key] += 1
        key = _numbered(key, numbers.setdefault(key, 0))
    st.session_state[key] = value
    return key


def _numbered(key: str, number: int) -> str:
    return f"{key}_{number}" if number else key


def _keep_control(view: str, key: str, name: str, default: object, clears: Sequence[str] = ()) -> None:
    """Write what a control was set to. Nothing of one that is not there, or whose view was left by another change just now."""
    if st.session_state.get(LAYER_KEY) != view or key not in st.session_state:
        return
    keep(name, _written(st.session_state[key]), _written(default))
    for other in clears:
        keep(other, None)


def _args(key: str, name: str, default: object, clears: Sequence[str] = ()) -> tuple[object, ...]:
    return (str(st.session_state.get(LAYER_KEY, "")), key, name, default, clears)


def _whole(text: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,18}", text):
        raise SettingError(_("In the address, {text} is not a whole number.", text=quoted(text)))
    return int(text)


def number_setting(
    name: str, label: str, low: int, high: int, default: int, *, help: str, why: str = "", folded: bool = False
) -> int:
    """A slider over the whole numbers that work now, low to high. A value that no longer works becomes the nearest.

    why: the sentence that explains the limits; it is said when a value had to change. folded: see `_key`.
    """
    value = setting(name, min(max(default, low), high), _whole)
    inside = nearest(label, value, low, high, why)
    if inside != value:
        keep(name, inside, default)
    key = _key(name, inside, folded)
    if low < high:
        st.slider(label, low, high, key=key, help=help, on_change=_keep_control, args=_args(key, name, default))
    else:  # Streamlit has no slider with a single place
        st.select_slider(label, [inside], key=key, disabled=True, help=why or help)
    return inside


def choice_setting(
    name: str, label: str, options: Mapping[Word, str], default: Word, *, help: str, compact: bool = False, why: str = "",
    hide_label: bool = False, clears: Sequence[str] = (), folded: bool = False,
) -> Word:  # fmt: skip
    """One of a few words: options by their key in the address, with what the visitor reads. compact: buttons side by side.

    A choice that is not among the options, because it cannot work now, becomes the default (or the first); why says why.
    clears: settings that a new choice takes back, as the cells that were typed over what is chosen. folded: see `_key`.
    """
    usual = default if default in options else next(iter(options))
    text = setting(name, str(usual), str)
    value = next((option for option in options if option == text), None)
    if value is None:
        reason = why or _("It is one of: {names}.", names=few([*options.values()]))
        say(_("{label} cannot be {before} here.", label=label, before=quoted(text)), reason)
        keep(name, None)
        value = usual
    key = _key(name, value, folded)
    visibility: LabelVisibility = "collapsed" if hide_label else "visible"
    if compact:
        st.segmented_control(
            label, list(options), key=key, format_func=lambda option: options.get(option, option), help=help, required=True,
            on_change=_keep_control, args=_args(key, name, default, clears), label_visibility=visibility,
        )  # fmt: skip
    else:
        st.selectbox(
            label, list(options), key=key, format_func=lambda option: options.get(option, option), help=help,
            on_change=_keep_control, args=_args(key, name, default, clears), label_visibility=visibility,
        )  # fmt: skip
    return value


def switch_setting(
    name: str, label: str, default: bool = False, *, help: str, disabled: bool = False, folded: bool = False
) -> bool:  # fmt: skip
    """A toggle, 0 or 1 in the address. A disabled one is off, and keeps what it was for when it is none. folded: see `_key`."""
    found = setting(name, int(default), _whole)
    inside = nearest(label, found, 0, 1, _("A switch is 0 or 1."))
    if inside != found:
        keep(name, inside, int(default))
    value = bool(inside) and not disabled
    key = _key(name, value, folded)
    st.toggle(label, key=key, help=help, disabled=disabled, on_change=_keep_control, args=_args(key, name, default))
    return value


def decimal_setting(name: str, label: str, low: float, high: float, step: float, default: float, *, help: str) -> float:
    """A slider from low to high. A value between two steps is kept; one outside becomes the nearest."""
    value = setting(name, default, _decimal)
    inside = nearest(label, value, low, high, _("It goes from {low} to {high}.", low=_read(low), high=_read(high)))
    if inside != value:
        keep(name, short_number(inside), short_number(default))
    key = _key(name, inside, False)
    st.slider(label, low, high, step=step, key=key, help=help, on_change=_keep_control, args=_args(key, name, default))
    return inside


def _decimal(text: str) -> float:
    if not re.fullmatch(r"-?[0-9]{1,3}(\.[0-9]{1,4})?", text):
        raise SettingError(_("In the address, {text} is not a number such as 0.5.", text=quoted(text)))
    return float(text)

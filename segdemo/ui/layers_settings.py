"""The controls of a view of the Layers page, whose values stand in one parameter of the address.

Each control shows what the parameter says and writes what was chosen back, so that a link restores a view exactly. Values
typed there by hand pass the same checks as a control's; an impossible one is said in a sentence and becomes the nearest.
What views need of the parameter itself (`layers_parameter`) is handed on from here.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Literal

import streamlit as st

from segdemo.errors import SettingError
from segdemo.text import _
from segdemo.ui.layers_parameter import (
    drop_unknown,
    keep,
    key_of,
    know,
    reset_settings,
    say,
    setting,
    settings_text,
    short_number,
    switch_layer,
)

__all__ = [
    "choice_setting", "decimal_setting", "drop_unknown", "keep", "key_of", "know", "number_setting", "reset_settings", "say",
    "setting", "settings_text", "short_number", "switch_layer", "switch_setting",
]  # fmt: skip

LabelVisibility = Literal["visible", "collapsed"]


def _keep_control(name: str, default: object, clears: Sequence[str] = ()) -> None:
    value = st.session_state[key_of(name)]
    keep(name, int(value) if isinstance(value, bool) else value, int(default) if isinstance(default, bool) else default)
    for other in clears:
        keep(other, None)


def _whole(text: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,18}", text):
        raise SettingError(_("In the address, {text} is no whole number.", text=text))
    return int(text)


def number_setting(
    name: str, label: str, low: int, high: int, default: int, *, help: str, why: str = "", quiet: bool = False
) -> int:
    """A slider over the whole numbers that work now, low to high. A value that no longer works becomes the nearest.

    why: the sentence that explains the limits; it is said when a value had to change, unless `quiet`.
    """
    value = setting(name, min(max(default, low), high), _whole)
    inside = min(max(value, low), high)
    if inside != value:
        if not quiet:
            say(_("{label} is now {value} instead of {before}. {why}", label=label, value=inside, before=value, why=why).strip())
        keep(name, inside, default)
    key = key_of(name)
    st.session_state[key] = inside
    if low < high:
        st.slider(label, low, high, key=key, help=help, on_change=_keep_control, args=(name, default))
    else:  # Streamlit has no slider with a single place
        st.select_slider(label, [inside], key=key, disabled=True, help=why or help)
    return inside


def choice_setting(
    name: str, label: str, options: Mapping[str, str], default: str, *, help: str, compact: bool = False, why: str = "",
    hide_label: bool = False, clears: Sequence[str] = (),
) -> str:  # fmt: skip
    """One of a few words: options by their key in the address, with what the visitor reads. compact: buttons side by side.

    A choice that is not among the options, because it cannot work now, becomes the default (or the first); why says why.
    clears: settings that a new choice takes back, as the cells that were typed over what is chosen.
    """
    usual = default if default in options else next(iter(options))
    value = setting(name, usual, str)
    if value not in options:
        reason = why or _("It is one of: {names}.", names=", ".join(options))
        say(_("{label} cannot be {before} here. {why}", label=label, before=value, why=reason))
        keep(name, None)
        value = usual
    key = key_of(name)
    st.session_state[key] = value
    visibility: LabelVisibility = "collapsed" if hide_label else "visible"
    if compact:
        st.segmented_control(
            label, list(options), key=key, format_func=lambda option: options.get(option, option), help=help, required=True,
            on_change=_keep_control, args=(name, default, clears), label_visibility=visibility,
        )  # fmt: skip
    else:
        st.selectbox(
            label, list(options), key=key, format_func=lambda option: options.get(option, option), help=help,
            on_change=_keep_control, args=(name, default, clears), label_visibility=visibility,
        )  # fmt: skip
    return value


def switch_setting(name: str, label: str, default: bool = False, *, help: str, disabled: bool = False) -> bool:
    """A toggle, 0 or 1 in the address. A disabled one is off."""
    value = bool(min(1, max(0, setting(name, int(default), _whole)))) and not disabled
    key = key_of(name)
    st.session_state[key] = value
    st.toggle(label, key=key, help=help, disabled=disabled, on_change=_keep_control, args=(name, default))
    return value


def decimal_setting(name: str, label: str, low: float, high: float, step: float, default: float, *, help: str) -> float:
    """A slider from low to high. A value between two steps is kept; one outside becomes the nearest."""
    value = min(max(setting(name, default, _decimal), low), high)
    key = key_of(name)
    st.session_state[key] = value

    def changed() -> None:
        chosen = float(st.session_state[key])
        keep(name, short_number(chosen), short_number(default))

    st.slider(label, low, high, step=step, key=key, help=help, on_change=changed)
    return value


def _decimal(text: str) -> float:
    if not re.fullmatch(r"-?[0-9]{1,3}(\.[0-9]{1,4})?", text):
        raise SettingError(_("In the address, {text} is no number such as 0.5.", text=text))
    return float(text)

"""The settings of a view of the Layers page: controls whose values stand in one parameter of the address.

`set` holds name:value pairs with commas between them, values at their default left out. It is the one place where a setting
is kept: each control shows what it says and writes what was chosen back, so that a link restores a view exactly. Values
typed there by hand pass the same checks as a control's; an impossible one is said in a sentence and becomes the nearest.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, TypeVar

import streamlit as st

from segdemo.errors import SettingError
from segdemo.text import _
from segdemo.ui.words import plain

__all__ = [
    "choice_setting", "drop_unknown", "keep", "key_of", "number_setting", "parse_numbers", "reset_settings", "setting",
    "settings_text", "switch_layer", "switch_setting", "write_numbers",
]  # fmt: skip

SET_KEY, LAYER_KEY = "set", "layer"  # also in the address
KEPT_KEY, ASKED_KEY, MESSAGES_KEY = "layers_kept", "layers_asked", "layers_messages"
T = TypeVar("T")
LabelVisibility = Literal["visible", "collapsed"]


def settings_text() -> str:
    """The pairs of the current view as they stand in the address."""
    return str(st.session_state.get(SET_KEY, ""))


def _pairs() -> dict[str, str]:
    return dict(part.split(":", 1) for part in settings_text().split(",") if ":" in part)


def key_of(name: str) -> str:
    """The session's key of the control of a setting of the current view."""
    return f"layers_{st.session_state.get(LAYER_KEY, '')}_{name}"


def setting(name: str, default: T, parse: Callable[[str], T]) -> T:
    """The value of a setting. parse turns its text into a value or raises SettingError, whose sentence is then shown."""
    st.session_state.setdefault(ASKED_KEY, set()).add(name)
    text = _pairs().get(name)
    if text is None:
        return default
    try:
        return parse(text)
    except SettingError as error:
        _say(str(error))
        keep(name, default, default)
        return default


def keep(name: str, value: object, default: object = None) -> None:
    """Write a setting into the address; at its default it is left out. `str(value)` is what its `parse` will read."""
    pairs = _pairs()
    pairs.pop(name, None)
    if value != default:
        pairs[name] = str(value)
    st.session_state[SET_KEY] = ",".join(f"{key}:{text}" for key, text in pairs.items())


def _keep_control(name: str, default: object) -> None:
    value = st.session_state[key_of(name)]
    keep(name, int(value) if isinstance(value, bool) else value, int(default) if isinstance(default, bool) else default)


def _say(sentence: str) -> None:
    messages = st.session_state.setdefault(MESSAGES_KEY, [])
    if sentence not in messages:
        messages.append(sentence)


def _whole(text: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,4}", text):
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
            _say(_("{label} is now {value} instead of {before}. {why}", label=label, value=inside, before=value, why=why).strip())
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
    hide_label: bool = False,
) -> str:  # fmt: skip
    """One of a few words: options by their key in the address, with what the visitor reads. compact: buttons side by side.

    A choice that is not among the options, because it cannot work now, becomes the default (or the first); why says why.
    """
    value = setting(name, default, str)
    if value not in options:
        before, value = value, default if default in options else next(iter(options))
        reason = why or _("It is one of: {names}.", names=", ".join(options))
        _say(_("{label} cannot be {before} here. {why}", label=label, before=before, why=reason))
        keep(name, value, default)
    key = key_of(name)
    st.session_state[key] = value
    visibility: LabelVisibility = "collapsed" if hide_label else "visible"
    if compact:
        st.segmented_control(
            label, list(options), key=key, format_func=lambda option: options.get(option, option), help=help, required=True,
            on_change=_keep_control, args=(name, default), label_visibility=visibility,
        )  # fmt: skip
    else:
        st.selectbox(
            label, list(options), key=key, format_func=lambda option: options.get(option, option), help=help,
            on_change=_keep_control, args=(name, default), label_visibility=visibility,
        )  # fmt: skip
    return value


def switch_setting(name: str, label: str, default: bool = False, *, help: str, disabled: bool = False) -> bool:
    """A toggle, 0 or 1 in the address. A disabled one is off."""
    value = bool(min(1, max(0, setting(name, int(default), _whole)))) and not disabled
    key = key_of(name)
    st.session_state[key] = value
    st.toggle(label, key=key, help=help, disabled=disabled, on_change=_keep_control, args=(name, default))
    return value


def parse_numbers(text: str) -> tuple[float, ...]:
    """Numbers with underscores between them, as they stand in the address: "1_0_-0.5". Raises SettingError."""
    if not re.fullmatch(r"-?[0-9]{1,4}(\.[0-9]{1,4})?(_-?[0-9]{1,4}(\.[0-9]{1,4})?)*", text):
        raise SettingError(_("In the address, numbers are written as 1_0_-0.5, with underscores between them."))
    return tuple(float(part) for part in text.split("_"))


def write_numbers(values: Sequence[float]) -> str:
    """The text that `parse_numbers` reads; four decimals at most."""
    return "_".join(_short(value) for value in values)


def _short(value: float) -> str:
    text = f"{value:.4f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def reset_settings() -> None:
    """Everything of the current view back to its default."""
    st.session_state[SET_KEY] = ""


def switch_layer(layer: str) -> None:
    """Show another view: the settings of the one that is left are kept for coming back to it."""
    kept: dict[str, str] = st.session_state.setdefault(KEPT_KEY, {})
    kept[str(st.session_state.get(LAYER_KEY, ""))] = settings_text()
    st.session_state[LAYER_KEY] = layer
    st.session_state[SET_KEY] = kept.get(layer, "")


def drop_unknown() -> list[str]:
    """After a view has asked for all its settings: what else stood in the address is dropped. What has to be said, once."""
    asked: set[str] = st.session_state.pop(ASKED_KEY, set())
    unknown = [name for name in _pairs() if name not in asked]
    if unknown:
        _say(_("This view has no setting {names}.", names=plain(", ".join(unknown), 80)))
        st.session_state[SET_KEY] = ",".join(f"{name}:{text}" for name, text in _pairs().items() if name in asked)
    messages: list[str] = st.session_state.pop(MESSAGES_KEY, [])
    return messages

"""The settings of a view of the Layers page: controls whose values stand in one parameter of the address.

`set` holds name:value pairs with commas between them, values at their default left out. It is the one place where a setting
is kept: each control shows what it says and writes what was chosen back, so that a link restores a view exactly. Values
typed there by hand pass the same checks as a control's; an impossible one is said in a sentence and becomes the nearest.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal, TypeVar

import streamlit as st

from segdemo.errors import SettingError
from segdemo.text import _
from segdemo.ui.url import LONGEST_SET, LONGEST_VALUE
from segdemo.ui.words import plain

__all__ = [
    "choice_setting", "decimal_setting", "drop_unknown", "keep", "key_of", "know", "number_setting", "reset_settings", "say",
    "setting", "settings_text", "short_number", "switch_layer", "switch_setting",
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
        say(str(error))
        keep(name, default, default)
        return default


def know(names: Iterable[str]) -> None:
    """The settings that a view has. Those without a control just now keep their values for when they have one."""
    st.session_state.setdefault(ASKED_KEY, set()).update(names)


def keep(name: str, value: object, default: object = None) -> None:
    """Write a setting into the address; at its default it is left out. `str(value)` is what its `parse` will read.

    What would make the address longer than the page reads is not written, and that is said.
    """
    pairs = _pairs()
    pairs.pop(name, None)
    if value != default:
        pairs[name] = str(value)
    text = ",".join(f"{key}:{text}" for key, text in pairs.items())
    if len(pairs.get(name, "")) > LONGEST_VALUE or len(text) > max(LONGEST_SET, len(settings_text())):
        say(_("The address has no room for more, and a link has to hold all that is shown: the last change was not made."))
        return
    st.session_state[SET_KEY] = text


def _keep_control(name: str, default: object, clears: Sequence[str] = ()) -> None:
    value = st.session_state[key_of(name)]
    keep(name, int(value) if isinstance(value, bool) else value, int(default) if isinstance(default, bool) else default)
    for other in clears:
        keep(other, None)


def say(sentence: str) -> None:
    """Have the page say, once, what a setting became."""
    messages = st.session_state.setdefault(MESSAGES_KEY, [])
    if sentence not in messages:
        messages.append(sentence)


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


def short_number(value: float) -> str:
    """A number as it stands in the address: four decimals at most."""
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
        say(_("This view has no setting {names}.", names=plain(", ".join(unknown), 80)))
        st.session_state[SET_KEY] = ",".join(f"{name}:{text}" for name, text in _pairs().items() if name in asked)
    messages: list[str] = st.session_state.pop(MESSAGES_KEY, [])
    return messages

"""The parameter in the address that holds the settings of a view of the Layers page.

`set` holds name:value pairs with commas between them, values at their default left out. It is the one place where a setting
is kept: whoever reads one says what its text has to look like, and what cannot be read is said in a sentence, once.
"""

from collections.abc import Callable, Iterable
from typing import TypeVar

import streamlit as st

from segdemo.errors import SettingError
from segdemo.text import _, few
from segdemo.ui.url import LONGEST_SET, LONGEST_VALUE

__all__ = [
    "LAYER_KEY", "drop_unknown", "keep", "key_of", "know", "reset_settings", "say", "setting", "settings_text",
    "short_number", "switch_layer",
]  # fmt: skip

SET_KEY, LAYER_KEY = "set", "layer"  # also in the address
KEPT_KEY, ASKED_KEY, MESSAGES_KEY = "layers_kept", "layers_asked", "layers_messages"
T = TypeVar("T")


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


def say(*sentences: str) -> None:
    """Have the page say what a setting became, and why. A sentence that is already to be said is not said again."""
    messages: list[str] = st.session_state.setdefault(MESSAGES_KEY, [])
    messages.extend(sentence for sentence in dict.fromkeys(sentences) if sentence and sentence not in messages)


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
    if unknown := [name for name in _pairs() if name not in asked]:
        say(_("This view has no setting {names}.", names=few(unknown)))
        st.session_state[SET_KEY] = ",".join(f"{name}:{text}" for name, text in _pairs().items() if name in asked)
    messages: list[str] = st.session_state.pop(MESSAGES_KEY, [])
    return messages

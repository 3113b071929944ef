"""Strokes in the session: what the brush has reported, in order, once each; undone, cleared, and kept over page switches.

The browser repeats what it was not told to have arrived. A message made by hand is refused with a sentence.
"""

from collections.abc import Callable, Sequence

import streamlit as st

from segdemo.errors import SettingError
from segdemo.geometry import Size
from segdemo.losslab.strokes import Stroke, read_stroke, together
from segdemo.text import _

__all__ = ["PROBLEM_KEY", "acknowledged", "after", "forget", "strokes_of", "take_operations"]

STROKES_KEY, ACK_KEY = "spoil_strokes", "spoil_ack"
PROBLEM_KEY = "spoil_stroke_problem"
PANELS = ("truth", "prediction")
MOST_OPERATIONS, MOST_SCENES = 256, 12
LAST_NUMBER = 2**31

Panels = dict[str, tuple[Stroke, ...]]


def strokes_of(scene: str, panel: str) -> tuple[Stroke, ...]:
    """What was painted on a picture of a scene, oldest first."""
    kept: dict[str, Panels] = st.session_state.get(STROKES_KEY, {})
    return kept.get(scene, {}).get(panel, ())


def forget(scene: str, panel: str) -> None:
    """Take all strokes off a picture of a scene."""
    if strokes_of(scene, panel):
        _put(scene, panel, ())


def acknowledged() -> dict[str, object]:
    """Who reported last, and the number of its last operation that arrived."""
    ack: dict[str, object] = st.session_state.get(ACK_KEY, {"client": "", "n": 0})
    return ack


def take_operations(message: object, scene: str, size: Size, panels: Sequence[str]) -> None:
    """Carry out what a painter reports: {"client", "scene", "ops": [{"n", "op": "stroke"|"undo"|"clear", "panel", …}]}.

    Operations that were carried out before are passed over, and so are those on another scene. What cannot be read
    leaves everything as it was and its sentence under PROBLEM_KEY.
    """
    try:
        client, operations = _opened(message)
    except SettingError as error:
        st.session_state[PROBLEM_KEY] = str(error)
        return
    ack = acknowledged()
    last = ack["n"] if ack["client"] == client else 0
    assert isinstance(last, int)
    assert isinstance(message, dict)
    for number, operation in operations:
        if number > last and message.get("scene") == scene:
            _carry_out(operation, scene, size, panels)
        last = max(last, number)
    st.session_state[ACK_KEY] = {"client": client, "n": last}


def _opened(message: object) -> tuple[str, list[tuple[int, dict[str, object]]]]:
    """The sender and its numbered operations. Raises SettingError for any other form."""
    match message:
        case {"client": str(client), "ops": list(found)} if len(client) <= 16 and len(found) <= MOST_OPERATIONS:
            numbered = [(op["n"], op) for op in found if isinstance(op, dict) and type(op.get("n")) is int]
            if len(numbered) == len(found) and all(0 < n < LAST_NUMBER for n, _op in numbered):
                return client, numbered
    raise SettingError(_("What came from the brush cannot be read; nothing was painted. Reload the page to paint again."))


def _carry_out(operation: dict[str, object], scene: str, size: Size, panels: Sequence[str]) -> None:
    try:
        panel = operation.get("panel")
        if panel not in panels:
            raise SettingError(_("This picture cannot be painted on; nothing was painted."))
        assert isinstance(panel, str)
        _put(scene, panel, after(strokes_of(scene, panel), operation, size))
    except SettingError as error:
        st.session_state[PROBLEM_KEY] = str(error)


def after(strokes: tuple[Stroke, ...], operation: dict[str, object], size: Size) -> tuple[Stroke, ...]:
    """The strokes once an operation was carried out. Raises SettingError for one that does not exist."""
    acts: dict[object, Callable[[], tuple[Stroke, ...]]] = {
        "stroke": lambda: together((*strokes, read_stroke(operation, size))),
        "undo": lambda: strokes[:-1],
        "clear": lambda: (),
    }
    kind = operation.get("op")
    if not isinstance(kind, str) or kind not in acts:
        raise SettingError(_("The brush can paint, undo and clear; nothing was painted."))
    return acts[kind]()


def _put(scene: str, panel: str, strokes: tuple[Stroke, ...]) -> None:
    kept: dict[str, Panels] = st.session_state.setdefault(STROKES_KEY, {})
    kept[scene] = {**kept.pop(scene, {}), panel: strokes}  # the newest last
    while len(kept) > MOST_SCENES:
        kept.pop(next(iter(kept)))

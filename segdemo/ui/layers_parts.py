"""What the views of several parts share: the choice of a part, sliders over decimal numbers, numbers typed into cells."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from segdemo.errors import SettingError
from segdemo.text import _
from segdemo.ui.layers_frame import link_to_view, stage_and_side, wants_to_predict
from segdemo.ui.layers_settings import choice_setting, keep, key_of, parse_numbers, setting, write_numbers

__all__ = ["LARGEST_TYPED", "Part", "choose_part", "cover", "decimal_setting", "keep_typed", "typed_numbers"]

LARGEST_TYPED = 99.0
COVER_HEIGHT = 300  # pixels of what stands in for a hidden chart
NOTHING: tuple[float, ...] = ()


@dataclass(frozen=True)
class Part:
    """The chosen part, where its pieces go, and whether its question is asked. `words` is above, `below` under the stage."""

    name: str
    words: DeltaGenerator
    place: DeltaGenerator
    side: DeltaGenerator
    asking: bool


def choose_part(titles: Mapping[str, str], default: str, settings: Mapping[str, Sequence[str]]) -> Part:
    """The row above the stage: which part, "Predict first", the link. settings: the names of each part's settings.

    Settings of the other parts, and those without a control just now, stay as they are: coming back finds them as they were.
    """
    words = st.container()
    stage, side = stage_and_side()
    with stage:
        top = st.container(horizontal=True, vertical_alignment="center", gap="small")
        place = st.container()
    with top:
        name = choice_setting("part", _("Part"), titles, default, compact=True, hide_label=True, help=_("What is looked at."))
        asking = wants_to_predict()
        link_to_view()
    for each in sorted({each for names in settings.values() for each in names}):
        setting(each, "", str)
    return Part(name, words, place, side, asking)


def decimal_setting(name: str, label: str, low: float, high: float, step: float, default: float, *, help: str) -> float:
    """A slider from low to high. A value between two steps is kept; one outside becomes the nearest."""
    value = min(max(setting(name, default, _decimal), low), high)
    key = key_of(name)
    st.session_state[key] = value

    def changed() -> None:
        chosen = float(st.session_state[key])
        keep(name, write_numbers([chosen]), write_numbers([default]))

    st.slider(label, low, high, step=step, key=key, help=help, on_change=changed)
    return value


def _decimal(text: str) -> float:
    if not re.fullmatch(r"-?[0-9]{1,3}(\.[0-9]{1,4})?", text):
        raise SettingError(_("In the address, {text} is no number such as 0.5.", text=text))
    return float(text)


def typed_numbers(name: str, usual: NDArray[np.float64]) -> NDArray[np.float64]:
    """The numbers that were typed over, where they are as many as there are cells now; otherwise the usual ones."""
    typed = setting(name, NOTHING, parse_numbers)
    return np.clip(np.array(typed), -LARGEST_TYPED, LARGEST_TYPED).reshape(usual.shape) if len(typed) == usual.size else usual


def keep_typed(name: str, numbers: NDArray[np.float64], place: tuple[int, ...], value: float) -> None:
    """Write the numbers into the address, with the one at that place changed."""
    changed = numbers.copy()
    changed[place] = np.clip(value, -LARGEST_TYPED, LARGEST_TYPED)
    keep(name, write_numbers(changed.ravel().tolist()))


def cover() -> None:
    """What stands where a chart will be once the question is answered."""
    with st.container(border=True, height=COVER_HEIGHT, horizontal_alignment="center", vertical_alignment="center"):
        st.markdown(_("**What comes out? Predict first.**"), width="content")

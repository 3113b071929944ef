"""What the views of several parts share: the choice of a part, and what the colours of cells mean."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from segdemo.text import _
from segdemo.ui.layers_frame import framed, wants_to_predict
from segdemo.ui.layers_settings import choice_setting

__all__ = ["Part", "choose_part", "meaning_of_colours"]


@dataclass(frozen=True)
class Part:
    """The chosen part, where its pieces go, and whether its question is asked. `words` is above the stage."""

    name: str
    words: DeltaGenerator
    place: DeltaGenerator
    side: DeltaGenerator
    asking: bool


def choose_part(titles: Mapping[str, str]) -> Part:
    """The row above the stage: which part, at first the first of them, and "Predict first"."""
    words = st.container()
    frame = framed()
    with frame.top:
        name = choice_setting(
            "part", _("Part"), titles, next(iter(titles)), compact=True, hide_label=True, help=_("What to look at.")
        )
        asking = wants_to_predict()
    return Part(name, words, frame.place, frame.side, asking)


def meaning_of_colours(kind: Literal["signed", "count", "picture"]) -> str:
    """A sentence that says how to read the colours of cells."""
    return {
        "signed": _("Orange is positive, blue negative; the stronger the colour, the larger the number."),
        "count": _("Darker: fewer. Brighter: more."),
        "picture": _("Greys are brightness, from 0 (black) to 1 (white)."),
    }[kind]

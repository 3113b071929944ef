"""What the views of pooling and up-sampling share: numbers to type over, why a slider ends, the question."""

from collections.abc import Mapping, Sequence

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from segdemo.layerlab.patches import NUMBERS, NumberPattern, number_grid
from segdemo.text import _
from segdemo.ui.layers_frame import link_to_view, predict, wants_to_predict
from segdemo.ui.layers_settings import choice_setting, keep, parse_numbers, setting, write_numbers

__all__ = ["asked", "pattern", "put_aside", "reasons", "two_sliders", "type_over", "typed"]

Float = NDArray[np.float64]
LARGEST_TYPED = 99
SEED = 8


def pattern(shape: tuple[int, int], more: Mapping[str, str] | None = None) -> tuple[str, Float]:
    """The choice of what the numbers are, and the numbers. more: further choices, whose numbers the view makes itself."""
    words = {"digits": _("digits"), "dot": _("a single 1"), "edge": _("an edge"), "stripes": _("stripes"), "ramp": _("a ramp")}
    chosen = choice_setting("of", _("Shown on"), {**words, **(more or {})}, "digits", help=_(
        "What the cells hold. Double-click one to type another number."))  # fmt: skip
    known: NumberPattern = next((name for name in NUMBERS if name == chosen), "digits")
    if known == "digits":  # up to 9, so that few are equal
        return chosen, np.random.default_rng(SEED).integers(0, 10, shape).astype(np.float64)
    return chosen, number_grid(known, (1, *shape))[0]


def typed(name: str, usual: Float) -> Float:
    """The numbers that were typed over, where they are as many as there are cells now."""
    nothing: tuple[float, ...] = ()
    found = setting(name, nothing, parse_numbers)
    if len(found) != usual.size:
        return usual
    return np.asarray(np.clip(np.array(found), -LARGEST_TYPED, LARGEST_TYPED).reshape(usual.shape))


def type_over(name: str, array: Float, row: int, column: int, value: float) -> None:
    """Write the numbers with one of them changed into the address."""
    changed = array.copy()
    changed[row, column] = np.clip(value, -LARGEST_TYPED, LARGEST_TYPED)
    keep(name, write_numbers(changed.ravel().tolist()))


def put_aside(names: Sequence[str]) -> None:
    """Settings that have no say now but are kept for when they have."""
    for name in names:
        setting(name, "", str)


def two_sliders() -> tuple[DeltaGenerator, DeltaGenerator]:
    """Places for two narrow controls side by side."""
    left, right = st.columns(2, gap="small")
    return left, right


def reasons(sentences: Sequence[str]) -> None:
    """Why sliders end where they do, once each."""
    if found := list(dict.fromkeys(filter(None, sentences))):
        st.caption(" ".join(found))


def asked(top: DeltaGenerator, question: str, choices: Mapping[str, str], answer: str, why: str, *, full: bool = False) -> bool:
    """The switch of the question and the link in the row at the top; whether the result has to stay covered.

    full: the row has little room left.
    """
    with top:
        asking = wants_to_predict()
        link_to_view(short=full)
    return asking and predict(question, choices, answer, why)

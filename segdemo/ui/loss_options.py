"""The widgets of one loss's options, made from its facts."""

from collections.abc import Collection

import streamlit as st

from segdemo.losses import FACTS, LossOption
from segdemo.text import _
from segdemo.ui.loss_colours import colour_of, title_of

__all__ = ["loss_options", "option_label"]

WIDTH = 215  # pixels of one loss's column
SET_TO = {"pos_weight": 3.0}  # where a number that the loss chooses itself starts
WORDS = {
    "alpha": "α", "beta": "β", "gamma": "γ", "smooth": "s", "pos_weight": "w", "bce_weight": "w₁", "focal_weight": "w₁",
    "dice_weight": "w₂", "sigma": "σ",
}  # fmt: skip


def loss_options(
    name: str, place: str, left_out: Collection[str] = (), *, must_set: bool = False
) -> tuple[tuple[str, float | str | None], ...]:
    """One loss's sliders and switches under its name; its options and their values, nothing where it has none to set.

    place: sets the keys apart from those of another view. left_out: options that change nothing there. must_set: numbers
    that the loss would choose from a batch are set by the visitor.
    """
    options = [option for option in FACTS[name].options if option.name not in left_out]
    if not options:
        return ()
    with st.container(width=WIDTH, gap="small", key=f"{place}_{name}_options"):
        st.html(f'<div style="border-left: 4px solid {colour_of(name)}; padding-left: .5em"><b>{title_of(name)}</b></div>')
        return tuple((option.name, _value(option, f"{place}_{name}_{option.name}", must_set)) for option in options)


def option_label(name: str) -> str:
    """What an option is called: the letter of the formula, or its own name."""
    return WORDS.get(name, name)


def _value(option: LossOption, key: str, must_set: bool) -> float | str | None:
    meaning, label = _(option.meaning), option_label(option.name)
    if option.choices:
        return str(st.selectbox(label, option.choices, key=key, persist_state="session", help=meaning))
    if isinstance(option.default, bool):
        return bool(st.toggle(label, option.default, key=key, persist_state="session", help=meaning))
    if option.default is None and not must_set and not _by_hand(label, key):
        return None
    return _number(option, label, key, meaning)


def _by_hand(label: str, key: str) -> bool:
    return st.toggle(
        _("Set {name}", name=label), key=f"{key}_set", persist_state="session", help=_("Otherwise the loss chooses it itself.")
    )


def _number(option: LossOption, label: str, key: str, meaning: str) -> float:
    assert option.low is not None and option.high is not None and option.step is not None
    start = SET_TO[option.name] if option.default is None else float(option.default)
    return st.slider(label, option.low, option.high, start, option.step, key=key, persist_state="session", help=meaning)

"""The controls of "Spoil the mask": ready scenes, the ground truth, the damages in four groups, losses and their options."""

from collections.abc import Callable
from typing import get_args

import streamlit as st

from segdemo.losses import LOSSES, EmptyPolicy
from segdemo.losslab.damage import Damage, count_objects
from segdemo.losslab.stories import STORIES
from segdemo.text import _
from segdemo.ui.loss_pills import loss_pills
from segdemo.ui.losses_spoil_state import (
    DEFAULT_LOSSES,
    UPLOADED,
    Truth,
    apply_story,
    keep_upload,
    key_of,
    reset_damage,
    truth_titles,
)
from segdemo.ui.words import percent

__all__ = ["damage_controls", "damage_in_words", "loss_controls", "policy_words", "story_buttons", "truth_control"]

SURENESS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999, 0.9999)
TEMPERATURES = (0.25, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0, 5.6, 8.0)
SALT = (0.0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)
ALL_SEEN = ".st-key-spoil_losses [data-testid='stButtonGroup'] > [role] { flex-wrap: wrap; mask-image: none; }"
MASK_TYPES = ["png", "tif", "tiff", "bmp", "gif"]


def story_buttons(current: str | None) -> None:
    """One button a ready scene; under them what the current one says."""
    short = {
        "happy": _("BCE and an empty mask"), "tiny": _("Dice and tiny objects"), "easy": _("Focal and the easy"),
        "alike": _("IoU against Dice"), "empty": _("Empty ground truth"),
    }  # fmt: skip
    with st.container(horizontal=True, gap="small", key="spoil_stories"):
        for name, story in STORIES.items():
            st.button(
                short[name], key=f"story_{name}", type="primary" if name == current else "secondary",
                on_click=apply_story, args=(name,), help=_(story.title),
            )  # fmt: skip
    if current:
        st.markdown(f"**{_(STORIES[current].title)}.** {_(STORIES[current].text)}")
    else:
        st.markdown(_("Damage the prediction with the controls or paint on it: every loss and every score answers at once. "
                      "The buttons above set scenes that tell a story."))  # fmt: skip


def truth_control() -> None:
    """What is to be predicted; an uploader where it is the visitor's own mask."""
    titles = truth_titles()
    st.selectbox(
        _("Ground truth"), list(titles), key=key_of("truth"), persist_state="session", format_func=lambda k: titles[k],
        help=_("The mask that the prediction should be. Paint one in the left picture, or bring your own."),
    )  # fmt: skip
    if st.session_state[key_of("truth")] == UPLOADED:
        widget = key_of("upload")
        st.file_uploader(
            _("Mask"), type=MASK_TYPES, key=widget, on_change=keep_upload, args=(widget,), label_visibility="collapsed",
            help=_("An indexed or grey picture: 0 is background. It is reduced to 256 pixels a side."),
        )  # fmt: skip


def damage_controls(truth: Truth) -> None:
    """Four groups of which one is open; the settings of all stay."""
    groups = {"move": _("Move"), "shape": _("Shape"), "objects": _("Objects"), "sure": _("Certainty")}
    group = st.segmented_control(
        _("Damage"), list(groups), key=key_of("group"), persist_state="session", required=True, wrap=True,
        format_func=lambda g: groups[g], help=_("Four kinds of damage. What you set in one stays while you look at another."),
    )  # fmt: skip
    shown: dict[str, Callable[[], None]] = {
        "move": _move, "shape": _shape, "objects": lambda: _objects(truth), "sure": _sureness,
    }  # fmt: skip
    shown[group or "move"]()
    st.button(
        _("Undo all damage"), key="spoil_reset", icon=":material/restart_alt:", on_click=reset_damage, width="stretch",
        help=_("The prediction becomes the truth again; what you painted on it stays."),
    )  # fmt: skip


def _slider(name: str, label: str, low: float, high: float, step: float, unit: str, tip: str) -> None:
    whole = isinstance(getattr(Damage(), name), int)
    kind: type[int] | type[float] = int if whole else float
    key = key_of(name)
    st.session_state[key] = kind(min(high, max(low, st.session_state[key])))
    st.slider(label, kind(low), kind(high), step=kind(step), key=key, persist_state="session",
              format=f"%d {unit}" if step >= 1 else f"%.1f {unit}", help=tip)  # fmt: skip


def _steps(name: str, label: str, options: tuple[float, ...], word: Callable[[float], str], tip: str) -> None:
    key = key_of(name)
    st.session_state[key] = min(options, key=lambda option: abs(option - st.session_state[key]))
    st.select_slider(label, options, key=key, persist_state="session", format_func=word, help=tip)


def _move() -> None:
    _slider("dx", _("Shift to the right"), -64, 64, 1, "px", _("Moves the prediction; what leaves the picture is lost."))
    _slider("dy", _("Shift down"), -64, 64, 1, "px", _("Moves the prediction; what leaves the picture is lost."))
    _slider("angle", _("Rotate"), -180, 180, 5, "°", _("Turns the prediction about the picture's middle, counter-clockwise."))


def _shape() -> None:
    _slider(
        "grow", _("Erode ← → dilate"), -12, 12, 1, "px", _("Below 0 every object loses that much of its rim, above it gains.")
    )
    _slider("blur", _("Blur the border"), 0, 12, 0.5, "px",
            _("Standard deviation of the Gaussian that the probabilities are blurred with."))  # fmt: skip
    _steps("salt", _("Salt noise"), SALT, percent, _("Share of the pixels that are flipped, drawn by chance."))


def _objects(truth: Truth) -> None:
    count = count_objects(truth.mask)
    if count:
        _slider("drop", _("Drop objects"), 0, count, 1, _("of {n}", n=count), _("Objects that the prediction does not find."))
        st.toggle(_("Largest first"), key=key_of("largest_first"), persist_state="session",
                  help=_("Otherwise the smallest objects are dropped first."))  # fmt: skip
    else:
        st.caption(_("This mask holds no object that could be dropped."))
    _slider("add", _("Add objects"), 0, 20, 1, "", _("Discs as large as the usual object, on background."))


def _sureness() -> None:
    def sure(value: float) -> str:
        return f"{100 * value:g} %"

    _steps("right", _("Sure where it is right"), SURENESS, sure, _("The probability of the predicted class where that is right."))
    _steps("wrong", _("Sure where it is wrong"), SURENESS, sure, _("The probability of the predicted class where that is wrong."))
    _steps("temperature", _("Temperature"), TEMPERATURES, lambda t: f"{t:g}",
           _("Divides the logits: above 1 the prediction is less sure of everything, below 1 surer."))  # fmt: skip


def damage_in_words(damage: Damage, painted: int) -> str:
    """What was done to the prediction, in a line; sureness is named where it is not the usual."""
    usual = Damage()
    parts = [
        _("shifted by {dx}, {dy} px", dx=damage.dx, dy=damage.dy) if damage.dx or damage.dy else "",
        _("turned by {angle:g}°", angle=damage.angle) if damage.angle else "",
        _("dilated by {n} px", n=damage.grow) if damage.grow > 0 else "",
        _("eroded by {n} px", n=-damage.grow) if damage.grow < 0 else "",
        _("{n} dropped", n=damage.drop) if damage.drop else "", _("{n} added", n=damage.add) if damage.add else "",
        _("{share} flipped", share=percent(damage.salt)) if damage.salt else "",
        _("blurred by {n:g} px", n=damage.blur) if damage.blur else "",
        _("temperature {t:g}", t=damage.temperature) if damage.temperature != usual.temperature else "",
        _("painted strokes: {n}", n=painted) if painted else "",
    ]  # fmt: skip
    return ", ".join(part for part in parts if part) or _("untouched: it is the truth")


def loss_controls() -> None:
    """Which losses, the options that several share, and the chart's axis."""
    loss_pills(
        _("Losses"), list(LOSSES), DEFAULT_LOSSES, key_of("losses"),
        _("All are computed from the functions that networks are trained with."),
    )  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.popover(_("Options"), icon=":material/tune:", help=_("γ, α, β, s, and what an empty ground truth costs.")):
            _knobs()
        st.toggle(
            _("Logarithmic"), key=key_of("log"), persist_state="session",
            help=_("Shows small losses beside large ones; what is not above 0 cannot be drawn."),
        )  # fmt: skip
        st.html(f"<style>{ALL_SEEN}</style>")


def _knobs() -> None:
    def knob(name: str, label: str, low: float, high: float, step: float, tip: str) -> None:
        key = key_of(f"knob_{name}")
        st.slider(label, low, high, step=step, key=key, persist_state="session", help=tip)

    knob("gamma", _("Focal: γ"), 0.0, 5.0, 0.25, _("How strongly easy pixels are turned down; 0 turns down none."))
    knob("focal_alpha", _("Focal: α"), 0.0, 1.0, 0.05, _("Weight of foreground pixels; background pixels weigh 1 − α."))
    knob("alpha", _("Tversky: α"), 0.0, 2.0, 0.05, _("Weight of false positives."))
    knob("beta", _("Tversky: β"), 0.0, 2.0, 0.05, _("Weight of false negatives."))
    knob("smooth", _("Region losses: s"), 0.0, 100.0, 0.5, _("Added above and below the fraction line."))
    st.selectbox(
        _("Empty ground truth"), get_args(EmptyPolicy), key=key_of("knob_empty"), persist_state="session",
        format_func=lambda p: policy_words()[p], help=_("What region losses cost where there is nothing to find."),
    )  # fmt: skip


def policy_words() -> dict[str, str]:
    """The four policies by name."""
    words = {"smooth": _("by the formula"), "skip": _("left out"), "zero": _("always 0"), "one": _("always 1")}
    return {policy: words[policy] for policy in get_args(EmptyPolicy)}

"""Spoil the mask: a ground truth and a prediction made from it. Every loss and every score answers to each change."""

import math

import streamlit as st

from segdemo.losslab.damage import Damage, spoil, to_logits
from segdemo.losslab.gradients import Knobs, Scores, settings_of
from segdemo.text import _
from segdemo.ui.losses_explained import explain
from segdemo.ui.losses_spoil_below import show_below
from segdemo.ui.losses_spoil_charts import changes_figure
from segdemo.ui.losses_spoil_controls import (
    damage_controls,
    damage_in_words,
    loss_controls,
    story_buttons,
    truth_control,
)
from segdemo.ui.losses_spoil_measured import Case, case_of, scores, value
from segdemo.ui.losses_spoil_pictures import show_pictures
from segdemo.ui.losses_spoil_state import (
    Truth,
    chosen_damage,
    chosen_knobs,
    chosen_losses,
    current_story,
    key_of,
    prediction_paint,
    start,
    truth_now,
)
from segdemo.ui.losses_spoil_strokes import strokes_of

__all__ = ["show_spoil"]


def show_spoil() -> None:
    """Ready scenes, pictures beside the damages, all losses and scores, and below them gradients, sweeps or policies."""
    start()
    truth, knobs = truth_now(), chosen_knobs()
    damage, paint = chosen_damage(truth.mask), prediction_paint(truth)
    case = case_of(to_logits(spoil(truth.mask, damage, paint), truth.mask, damage), truth.mask)
    story_buttons(current_story(truth, damage, knobs))
    left, right = st.columns([7, 2], gap="medium")
    with right:
        truth_control()
        damage_controls(truth)
    with left:
        _say(truth)
        show_pictures(truth, case.logits, damage_in_words(damage, len(strokes_of(truth.scene, "prediction"))))
        _show_scores(scores(case))
        losses = chosen_losses()
        _show_losses(case, _untouched(truth, damage), losses, knobs)
    show_below(truth, damage, knobs, case, losses, paint)
    explain(losses)


def _untouched(truth: Truth, damage: Damage) -> Case:
    """The truth itself as a prediction, as sure as it is set to be where it is right."""
    return case_of(to_logits(truth.mask, truth.mask, Damage(right=damage.right)), truth.mask)


def _say(truth: Truth) -> None:
    if truth.problem:
        st.error(truth.problem, icon=":material/broken_image:")
    if truth.notice:
        st.caption(f":material/info: {truth.notice}")


def _show_scores(now: Scores) -> None:
    """The metrics of the predicted mask."""
    words = {
        "dice": _("Dice"), "iou": _("IoU"), "precision": _("Precision"), "recall": _("Recall"),
        "boundary_f1": _("Boundary F1"), "accuracy": _("Accuracy"),
    }  # fmt: skip
    tips = {
        "boundary_f1": _("How well the outlines agree, within 2 pixels."),
        "accuracy": _("Share of the pixels that are right; with little foreground it is high whatever is predicted."),
    }
    with st.container(horizontal=True, gap="medium", key="spoil_scores"):
        for field, label in words.items():
            here = getattr(now, field)
            st.metric(label, "–" if math.isnan(here) else f"{here:.3f}", width="content", help=tips.get(field))


def _show_losses(case: Case, untouched: Case, losses: tuple[str, ...], knobs: Knobs) -> None:
    if not losses:
        st.info(_("Choose a loss to see what it says."), icon=":material/info:")
    else:
        settings = {name: settings_of(name, knobs) for name in losses}
        now = {name: value(case, name, settings[name]) for name in losses}
        before = {name: value(untouched, name, settings[name]) for name in losses}
        logarithmic = bool(st.session_state.get(key_of("log"), False))
        st.plotly_chart(changes_figure(now, before, logarithmic), config={"displayModeBar": False}, key="spoil_changes",
                        alt=_("Every loss now, against the untouched prediction"))  # fmt: skip
    loss_controls()

"""The Honest metrics view: one prediction scored under every convention, side by side, and who uses which.

The network runs once for each picture. Everything else counts pixels anew.
"""

from collections.abc import Sequence

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from segdemo.losslab.honesty import Case, best_threshold, mean_dice_sweep, score_range
from segdemo.metrics import Convention, expected_calibration_error, score_under, scores_of_counts
from segdemo.text import _
from segdemo.types import WeightsEntry
from segdemo.ui.components import convention_rows
from segdemo.ui.losses_honesty_cases import Subject, at_threshold, error_thumbnail, subject
from segdemo.ui.losses_honesty_counts import matrices, tallies
from segdemo.ui.losses_honesty_drawing import Scored, convention_data, picture_strip
from segdemo.ui.losses_honesty_figures import reliability_figure, sweep_figure
from segdemo.ui.losses_honesty_words import rows, who_else
from segdemo.ui.words import plain

__all__ = ["show_honesty"]

THRESHOLD = "honesty_threshold"
PLAIN = {"displayModeBar": False}


def show_honesty() -> None:
    """Pictures and all scores of them on one axis, with the controls beside; then thresholds and calibration."""
    with st.spinner(_("Segmenting the pictures …")):
        found = subject()
    plot, side = st.columns([7, 2], gap="medium")
    with side:
        cases = _chosen(found)
        threshold = _threshold(found.entry)
        width = st.slider(
            _("Ignored band"), 1, 8, 2, format="%d px", key="honesty_band", persist_state="session",
            help=_("How far from a true outline pixels are ignored in the row that ignores some."),
        )  # fmt: skip
        st.caption(" ".join([_("Network: {title}.", title=_(found.entry.title)), *found.notes]))
    if not cases:
        plot.info(_("Choose at least one picture to score."), icon=":material/image:")
        return
    cut = [at_threshold(case, threshold) for case in cases]
    with plot:
        _pictures(cut)
        _conventions(cut, width)
    _sweep_and_calibration(cut, found.entry, threshold)


def _chosen(found: Subject) -> list[Case]:
    places = list(range(len(found.cases)))
    chosen = st.pills(
        _("Pictures"), places, selection_mode="multi", default=places, key=f"honesty_pictures_{len(places)}", wrap=True,
        persist_state="session", format_func=lambda i: plain(found.cases[i].name, 24),
        help=_("What the data set is made of. The empty ones are where the conventions differ most."),
    )  # fmt: skip
    return [found.cases[i] for i in places if i in chosen]


def _threshold(entry: WeightsEntry) -> float:
    if not entry.binary:
        return 0.5
    st.session_state.setdefault(THRESHOLD, 0.5)  # set here and not as a default, because "Use …" sets it too
    return st.slider(
        _("Threshold"), 0.01, 0.99, step=0.01, key=THRESHOLD, persist_state="session",
        help=_("From which probability on a pixel counts as foreground."),
    )  # fmt: skip


def _pictures(cases: Sequence[Case]) -> None:
    """The pictures with their errors, and the Dice of each by itself."""
    shown = []
    for case in cases:
        dice = score_under(matrices([case]), "dice", Convention())
        shown.append((case.name, _("nothing to score") if np.isnan(dice) else f"Dice {dice:.3f}", error_thumbnail(case)))
    st.html(picture_strip(shown, binary=len(cases[0].prediction.classes) == 2))


def _conventions(cases: Sequence[Case], width: int) -> None:
    """The headline, and a row of dots for each convention."""
    counts = {ignoring: matrices(cases, width if ignoring else 0) for ignoring in (False, True)}
    table: list[Scored] = [
        (row, score_under(counts[row.ignoring], "dice", row.convention), score_under(counts[row.ignoring], "iou", row.convention))
        for row in rows(width)
    ]
    st.markdown(_headline(list(counts.values())))
    convention_rows(key="honesty_rows", data=convention_data(table))
    st.caption(_("Open a row to read who counts so.") + " " + who_else())


def _headline(counts: Sequence[NDArray[np.int64]]) -> str:
    low, high, _number = score_range(counts, "dice")
    low_iou, high_iou, number = score_range(counts, "iou")
    return _("**One prediction, {n} honest scores:** Dice from {a:.2f} to {b:.2f}, IoU from {c:.2f} to {d:.2f}. Only the "
             "counting differs, so a score without its convention says little.", n=2 * number, a=low, b=high, c=low_iou,
             d=high_iou)  # fmt: skip


def _sweep_and_calibration(cases: Sequence[Case], entry: WeightsEntry, threshold: float) -> None:
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader(_("Which threshold?"))
        _sweep(cases, _class(entry), entry.binary, threshold)
    with right:
        st.subheader(_("Does it know how sure it is?"))
        _calibration(cases, _class(entry, pick=False), entry)


def _class(entry: WeightsEntry, *, pick: bool = True) -> int:
    """The class that threshold and calibration are about; a choice where there are several."""
    indices = range(1, len(entry.classes))
    key = f"honesty_class_{len(entry.classes)}"
    if len(indices) == 1:
        return 1
    if not pick:
        return int(st.session_state[key])
    return int(st.selectbox(
        _("Class"), indices, key=key, persist_state="session", format_func=lambda i: _(entry.classes[i].name),
        help=_("One class against all others: a pixel is of the class if its probability exceeds the threshold."),
    ))  # fmt: skip


def _sweep(cases: Sequence[Case], class_index: int, binary: bool, threshold: float) -> None:
    counts = tallies(cases, class_index)[0]
    held = bool(counts[:, 0, [0, 2]].any())  # a found or missed pixel: the truth holds the class
    scores = scores_of_counts(counts.sum(axis=0))
    best = best_threshold(scores["dice"]) if held else None
    st.plotly_chart(
        sweep_figure(scores, threshold, best), key="honesty_sweep", config=PLAIN,
        alt=_("Dice, IoU, precision and recall of all pixels together against the threshold"),
    )  # fmt: skip
    if best is None:
        st.caption(_("No picture holds this class, so there is no best threshold: whatever is found is a false alarm."))
        return
    st.caption(_("Best for all pixels together: **{a:.2f}**, for Dice and IoU alike, as one is a function of the other. Best for "
                 "the mean over the pictures that hold the class: **{b:.2f}**. Chosen on the pictures that are scored, both "
                 "flatter: a paper must choose it on others.", a=best, b=best_threshold(mean_dice_sweep(counts))))  # fmt: skip
    if binary:
        st.button(
            _("Use {t:.2f}", t=best), key="honesty_best", icon=":material/star:", on_click=_use, args=(best,),
            help=_("Cut all predictions at the best threshold."),
        )  # fmt: skip


def _use(threshold: float) -> None:
    st.session_state[THRESHOLD] = threshold


def _calibration(cases: Sequence[Case], class_index: int, entry: WeightsEntry) -> None:
    name = _(entry.classes[class_index].name)
    words = {"class": _("of “{name}”", name=name), "label": _("of the label")}
    axes = {"class": _("Probability of “{name}”", name=name), "label": _("Probability of the likeliest class")}
    about = st.segmented_control(
        _("Probability"), list(words), default="class", required=True, key="honesty_about", persist_state="session",
        format_func=lambda a: words[a], label_visibility="collapsed",
        help=_("Two conventions again: of one class whatever the label, or of the label whatever the class."),
    )  # fmt: skip
    bins = dict(zip(words, tallies(cases, class_index)[1:], strict=True))
    errors = {key: expected_calibration_error(value) for key, value in bins.items()}
    st.plotly_chart(
        reliability_figure(bins[about], axes[about]), key="honesty_reliability", config=PLAIN,
        alt=_("Reliability diagram: expected calibration error {e:.3f}", e=errors[about]),
    )  # fmt: skip
    st.caption(_("Below the dashed line the network is too sure. Expected calibration error, {n} bins: **{a:.4f}** for the "
                 "class, **{b:.4f}** for the label. Easy background pixels are most of both, which makes it small.",
                 n=len(bins["class"].count), a=errors["class"], b=errors["label"]))  # fmt: skip

"""Charts of an evaluation on the page: thresholds, calibration, objects; with what can be done about what they show."""

from dataclasses import replace

import numpy as np
import streamlit as st

from segdemo.evaluation.scores.results import CandidateResult, Evaluation
from segdemo.evaluation.scores.series import known_curve
from segdemo.metrics import expected_calibration_error
from segdemo.text import _
from segdemo.ui.compare_picker import chosen_candidates, keep_candidates
from segdemo.ui.compare_scores_figures import object_figure, precision_recall_figure, reliability_figure
from segdemo.ui.compare_scores_tables import Look, show_objects
from segdemo.ui.words import plain

__all__ = ["show_calibration", "show_object_view", "show_thresholds", "use_threshold"]

NO_BAR = {"displayModeBar": False}


def show_thresholds(evaluation: Evaluation, look: Look) -> None:
    """Precision and recall at every threshold, and one click to the threshold that is best here."""
    known = [(result, curve) for result in evaluation.results if (curve := known_curve(evaluation, result)) is not None]
    if not known:
        st.info(_("There is no threshold to choose: on several classes the likeliest one is taken."), icon=":material/info:")
        return
    chart, side = st.columns([7, 4], gap="large")
    with chart:
        st.plotly_chart(
            precision_recall_figure(evaluation, *look.of(evaluation)), key="scores_thresholds_chart", config=NO_BAR,
            alt=_("Precision against recall at every threshold"),
        )  # fmt: skip
        st.caption(_("Each point of a line is a threshold: to the right more is found, further up less of it is wrong. "
                     "A star is where IoU is highest, a ring where you stand."))  # fmt: skip
    with side:
        for result, curve in known:
            best, own = float(curve.thresholds[curve.best]), result.candidate.threshold
            key = result.candidate.key
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(
                    f"**{plain(look.titles[key])}**  \n"
                    + _("IoU {best} at {threshold:.0f} %, {own} at {yours:.0f} %", best=f"{curve.iou[curve.best]:.3f}",
                        threshold=100 * best, own=f"{curve.iou[curve.in_use]:.3f}", yours=100 * own)
                )  # fmt: skip
                st.button(
                    _("Use {threshold:.0f} %", threshold=100 * best), key=f"scores_use_{key}", icon=":material/tune:",
                    disabled=curve.best == curve.in_use, on_click=use_threshold, args=(key, best),
                    help=_("It is in use.") if curve.best == curve.in_use else _("Sets it for this network, on all views."),
                )  # fmt: skip
        st.caption(
            _(
                "The best threshold first, then the one in use. Chosen on these very pictures, a threshold looks better "
                "than it is: judge it on others."
            )
        )


def use_threshold(key: str, threshold: float) -> None:
    """Give a candidate another threshold, on all views; where there is such a one already, say so."""
    candidates = chosen_candidates()
    changed = tuple(replace(c, threshold=round(threshold, 4)) if c.key == key else c for c in candidates)
    if len(set(changed)) < len(changed):
        st.toast(_("This one is there already, with the same settings."), icon=":material/info:")
        return
    keep_candidates(changed)


def show_calibration(evaluation: Evaluation, look: Look) -> None:
    """Whether a stated probability can be believed."""
    chart, side = st.columns([7, 4], gap="large")
    with chart:
        st.plotly_chart(
            reliability_figure(evaluation, *look.of(evaluation)), key="scores_reliability_chart", config=NO_BAR,
            alt=_("How often it was so, against the probability said"),
        )  # fmt: skip
    with side:
        st.caption(_("Of all pixels where a network said “70 %”, 70 % should be so: then its line lies on the dashed "
                     "one. Below it, a network is surer than it should be; above it, less sure. ECE is the mean distance, "
                     "weighted by pixels."))  # fmt: skip
        for result in evaluation.results:
            said = _lean(result)
            if said:
                st.markdown(f"**{plain(look.titles[result.candidate.key])}**: {said}")


def _lean(result: CandidateResult) -> str:
    """How far off a network's probabilities are, and which way."""
    bins = result.reliability
    if not bins.count.sum():
        return ""
    error = 100 * expected_calibration_error(bins)
    held = bins.count > 0
    gap = float(np.average((bins.mean_prob - bins.frequency)[held], weights=bins.count[held]))
    way = (
        _("on the whole too sure")
        if gap > 0.002
        else _("on the whole not sure enough")
        if gap < -0.002
        else _("even on the whole")
    )
    return _("off by {error:.1f} points, {way}", error=error, way=way)


def show_object_view(evaluation: Evaluation, look: Look) -> None:
    """Objects counted, and how their score falls as more overlap is asked for."""
    show_objects(evaluation, look)
    if any(result.pictures for result in evaluation.results):
        st.plotly_chart(object_figure(evaluation, *look.of(evaluation)), key="scores_objects_chart", config=NO_BAR,
                        alt=_("Object precision over IoU thresholds"))  # fmt: skip
    st.caption(_("An object is a connected region. It counts as found if a predicted one overlaps it with the IoU at the bottom; "
                 "the score is TP / (TP + FP + FN) over all pictures, as in the nuclei challenge of 2018."))  # fmt: skip

"""The Scores view: candidates against the truth, on drawn pictures, the visitor's own, or a ZIP.

set ─▶ job beside the page, results as they come ─▶ who is better, and is that more than luck ─▶ why: pictures, thresholds …
"""

import math

import streamlit as st

from segdemo.evaluation.candidate import Candidate, entry_of
from segdemo.evaluation.scores.results import Evaluation
from segdemo.evaluation.scores.summary import summary_rows
from segdemo.evaluation.titles import short_titles
from segdemo.text import _, set_language
from segdemo.ui.compare_colours import colour_of_candidate
from segdemo.ui.compare_scores_charts import show_calibration, show_object_view, show_thresholds
from segdemo.ui.compare_scores_data import choose_set
from segdemo.ui.compare_scores_headline import show_verdict
from segdemo.ui.compare_scores_judging import shared_judges
from segdemo.ui.compare_scores_pictures import show_confusions, show_pictures
from segdemo.ui.compare_scores_remarks import show_left_out
from segdemo.ui.compare_scores_run import ChosenSet, Run, kept_run, run_for
from segdemo.ui.compare_scores_tables import Look, show_all_measures, show_classes, show_headline
from segdemo.ui.fetching import offer_download
from segdemo.ui.words import plain
from segdemo.weights import is_present

__all__ = ["SCORE_NAME", "scores_by_candidate", "show_scores"]

SCORE_NAME = "IoU"  # of `scores_by_candidate`
TICK_S = 0.5
AUTOMATIC = 600  # pictures × networks that are judged without being asked
SECTIONS = ("pictures", "thresholds", "calibration", "confusions", "classes", "objects", "all")


def show_scores(candidates: tuple[Candidate, ...]) -> None:
    """What is judged on, then the evaluation while it runs, or what it has found."""
    chosen = choose_set(candidates)
    here = tuple(candidate for candidate in candidates if is_present(entry_of(candidate)))
    if chosen is not None and here:
        run = _current(chosen, here)
        look = Look(
            [c.key for c in candidates], short_titles(candidates), [colour_of_candidate(i) for i in range(len(candidates))]
        )
        if run.live:
            st.fragment(_live, run_every=TICK_S)(run, look)
        else:
            _resting(run, look)
    for entry in {entry.weights_id: entry for entry in map(entry_of, candidates) if not is_present(entry)}.values():
        offer_download(entry)


def scores_by_candidate(candidates: tuple[Candidate, ...]) -> dict[str, float] | None:
    """Data-set IoU (0–1, see `SCORE_NAME`) by candidate key, of the session's last evaluation where it is complete; without
    candidates that it did not hold or could not score. None where there is none."""
    run = kept_run()
    if run is None or not run.complete:
        return None
    wanted = {candidate.key for candidate in candidates}
    found = {row.key: row.iou for row in summary_rows(run.evaluation()) if row.key in wanted and not math.isnan(row.iou)}
    return found or None


def _current(chosen: ChosenSet, candidates: tuple[Candidate, ...]) -> Run:
    """The session's evaluation; a small one begins by itself."""
    run = run_for(chosen, candidates)
    if run.job is None and not run.message and 0 < run.missing <= AUTOMATIC:
        run.begin()
    return run


def _live(run: Run, look: Look) -> None:
    """One look at it. When it has ended, the whole page is drawn once more."""
    set_language(st.context.locale)
    run.renew()
    if not run.live:
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center"):
        _progress(run)
        st.button(_("Cancel"), key="scores_cancel", icon=":material/close:", on_click=run.cancel,
                  help=_("What has been found stays, and it can go on later."))  # fmt: skip
    evaluation = run.evaluation()
    if any(result.pictures for result in evaluation.results):
        show_headline(evaluation, look, per_image=False, key="scores_live")
        st.caption(_("So far. The scores change until all pictures are judged."))
    else:
        st.skeleton(height=38 + 35 * max(1, len(evaluation.results)))


def _progress(run: Run) -> None:
    assert run.job is not None and run.judging is not None
    done, total = run.judging.pictures, len(run.chosen.data)
    ahead = shared_judges().position(run.job)
    if ahead:
        st.progress(0.0, _("Number {n} in line: others are being judged. It begins by itself.", n=ahead))
        return
    text = _("Judging: {done} of {total} pictures", done=done, total=total)
    if (left := run.judging.seconds_left) is not None:
        text += " · " + (
            _("about {n} s left", n=math.ceil(left)) if left < 90 else _("about {n} min left", n=math.ceil(left / 60))
        )
    st.progress(min(1.0, done / max(1, total)), text)


def _resting(run: Run, look: Look) -> None:
    """What has been found; and how to begin or go on where that is not all."""
    evaluation = run.evaluation()
    scored = any(result.pictures for result in evaluation.results)
    if run.missing and evaluation.results:
        _unfinished(run)
    per_image = show_verdict(run, evaluation, look) if scored else False
    show_left_out(evaluation, look)
    if scored:
        _details(run, evaluation, look, per_image=per_image)
    elif not run.missing:
        st.info(_("Nothing could be scored. Choose networks that know what these pictures hold, or other pictures."),
                icon=":material/info:")  # fmt: skip


def _unfinished(run: Run) -> None:
    """Why it has ended, and the button that goes on."""
    evaluation = run.evaluation()
    if run.job is not None and run.job.state == "failed":
        st.error(plain(_(run.job.reason), 400), icon=":material/error:")
    elif run.job is not None and run.job.reason:
        st.caption(plain(_(run.job.reason), 400))
    if run.message:
        st.warning(plain(run.message, 400), icon=":material/groups:")
    with st.container(horizontal=True, vertical_alignment="center"):
        begun = evaluation.done > 0
        st.button(
            _("Go on") if begun else _("Evaluate"), key="scores_begin", type="primary", icon=":material/play_arrow:",
            on_click=run.begin,
        )  # fmt: skip
        st.caption(
            _("Stopped after {n} of {total} pictures.", n=evaluation.done, total=evaluation.total) if begun else
            _("{n} pictures with {m} networks.", n=evaluation.total, m=len(evaluation.results))
        )  # fmt: skip


def _details(run: Run, evaluation: Evaluation, look: Look, *, per_image: bool) -> None:
    """Why the scores are as they are, one question at a time."""
    words = {"pictures": _("Pictures"), "thresholds": _("Threshold"), "calibration": _("Calibration"),
             "confusions": _("Confusions"), "classes": _("Classes"), "objects": _("Objects"), "all": _("All scores")}  # fmt: skip
    section = st.segmented_control(
        _("Why?"), SECTIONS, key="scores_section", default="pictures", required=True, persist_state="session",
        format_func=lambda name: words[name],
        help=_("Each picture's scores and errors; the choice of a threshold; whether probabilities can be believed; "
               "which classes are mixed up; scores by class; objects found and missed; every score with its meaning."),
    )  # fmt: skip
    match section:
        case "thresholds":
            show_thresholds(evaluation, look)
        case "calibration":
            show_calibration(evaluation, look)
        case "confusions":
            show_confusions(run, evaluation, look)
        case "classes":
            show_classes(evaluation, look)
        case "objects":
            show_object_view(evaluation, look)
        case "all":
            show_all_measures(evaluation, look, per_image=per_image)
        case _:
            show_pictures(run, evaluation, look)

"""The Scores view: candidates against the truth, on drawn pictures, the visitor's own, or a ZIP.

set ─▶ job beside the page, results as they come ─▶ who is better, and is that more than luck ─▶ why: pictures, thresholds …
"""

import hashlib
import math
from dataclasses import replace

import streamlit as st

from segdemo.evaluation.candidate import Candidate, entry_of
from segdemo.evaluation.results import Evaluation
from segdemo.evaluation.tables import Comparison, differences, sentence, summary_rows, verdict
from segdemo.text import _, set_language
from segdemo.ui.compare_colours import colour_of_candidate, short_titles
from segdemo.ui.compare_export import show_export
from segdemo.ui.compare_scores_charts import show_calibration, show_object_view, show_thresholds
from segdemo.ui.compare_scores_data import choose_set
from segdemo.ui.compare_scores_pictures import show_confusions, show_pictures
from segdemo.ui.compare_scores_run import ChosenSet, Run, kept_run, run_for, shared_judges
from segdemo.ui.compare_scores_tables import Look, show_all_measures, show_classes, show_headline
from segdemo.ui.fetching import offer_download
from segdemo.ui.words import plain
from segdemo.weights import is_present

__all__ = ["SCORE_NAME", "scores_by_candidate", "show_scores"]

SCORE_NAME = "IoU"  # of `scores_by_candidate`
TICK_S = 0.5
AUTOMATIC = 600  # pictures × networks that are judged without being asked
SECTIONS = ("pictures", "thresholds", "calibration", "confusions", "classes", "objects", "all")
LISTED = 200


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
        _unfinished(run, evaluation)
    if scored:
        per_image = _headline(run, evaluation, look)
    _left_out(evaluation, look)
    if scored:
        _details(run, evaluation, look, per_image=per_image)
    elif not run.missing:
        st.info(_("Nothing could be scored. Choose networks that know what these pictures hold, or other pictures."),
                icon=":material/info:")  # fmt: skip


def _unfinished(run: Run, evaluation: Evaluation) -> None:
    if run.job is not None and run.job.state == "failed":
        st.error(_(run.job.reason), icon=":material/error:")
    elif run.job is not None and run.job.reason:
        st.caption(_(run.job.reason))
    if run.message:
        st.warning(run.message, icon=":material/groups:")
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


def _verdict(evaluation: Evaluation, look: Look, a: int, b: int) -> None:
    """One sentence about two candidates, and whether it is more than luck."""
    if a == b:
        st.markdown(f"##### {_('Choose two different networks.')}")
        return
    found = _compared(evaluation, a, b, look)
    icon = {"better": "trending_up", "worse": "trending_down", "unclear": "drag_handle", "undefined": "help"}[verdict(found)]
    st.markdown(
        f"##### :material/{icon}: {plain(sentence(found), 500)}",
        help=_("The interval holds 95 % of what other draws of such pictures would have given: a paired bootstrap over the "
               "pictures, 2,000 times. Points are hundredths of IoU. Where it holds zero, the order may be luck."),
    )  # fmt: skip


def _pair(evaluation: Evaluation, look: Look) -> tuple[int, int]:
    """Which two are held against each other: at first the best and the second."""
    keys, order = [result.candidate.key for result in evaluation.results], _by_score(evaluation)
    if len(keys) == 2:
        return order[0], order[1]
    with st.popover(_("Compare others"), icon=":material/compare_arrows:", key="scores_pair",
                    help=_("The two networks of the sentence above.")):  # fmt: skip
        a = _one(_("Is this network"), keys, look, "scores_a", order[0])
        b = _one(_("better than this one?"), keys, look, "scores_b", order[1])
    return a, b


def _one(label: str, keys: list[str], look: Look, key: str, default: int) -> int:
    """A choice of one result; of other results, it is another choice."""
    digest = hashlib.sha256("\n".join(keys).encode()).hexdigest()[:12]
    chosen = st.selectbox(label, keys, default, key=f"{key}_{digest}", format_func=lambda name: look.titles[name])
    return keys.index(chosen)


def _by_score(evaluation: Evaluation) -> list[int]:
    scores = [row.iou for row in summary_rows(evaluation)]
    return sorted(range(len(scores)), key=lambda i: (math.isnan(scores[i]), -scores[i]))


def _compared(evaluation: Evaluation, a: int, b: int, look: Look) -> Comparison:
    found = differences(evaluation, a, b)
    return replace(found, a_key=look.titles[found.a_key], b_key=look.titles[found.b_key])


def _headline(run: Run, evaluation: Evaluation, look: Look) -> bool:
    """Who is better, the table, how its scores are added up, and what can be taken away. Returns whether they are means of
    pictures."""
    said = st.container()
    words = {"all": _("Over all pixels"), "mean": _("Mean of pictures")}
    with st.container(horizontal=True, vertical_alignment="center", key="scores_level"):
        level = st.segmented_control(
            _("Scores"), list(words), key="scores_mean", default="all", required=True, format_func=lambda name: words[name],
            label_visibility="collapsed", persist_state="session",
            help=_("Over all pixels: one score of the whole set, in which large pictures and objects count more. "
                   "Mean of pictures: each picture is scored by itself and counts the same."),
        )  # fmt: skip
        pair = _pair(evaluation, look) if len(evaluation.results) > 1 else None
        show_export(run, evaluation, look)
    if pair is not None:
        with said:
            _verdict(evaluation, look, *pair)
    per_image = level == "mean"
    show_headline(evaluation, look, per_image=per_image, key="scores_headline")
    counts = {len(result.pictures) for result in evaluation.results}
    if len(counts) > 1:
        st.warning(_("The networks were not scored on the same pictures, so that these rows cannot be compared directly. "
                     "The sentence above counts only pictures that both have."), icon=":material/balance:")  # fmt: skip
    return per_image


def _left_out(evaluation: Evaluation, look: Look) -> None:
    """Networks, classes and files that are not in the scores, and why."""
    for key, reason in evaluation.refused.items():
        st.warning(f"**{plain(look.titles.get(key, key), 90)}**: {plain(reason, 500)}", icon=":material/block:")
    for text in _notes(evaluation, look):
        st.caption(f":material/info: {text}")
    reasons = [(name, notice.text) for name, notice in evaluation.left_out.items()]
    for result in evaluation.results:
        title = look.titles[result.candidate.key]
        reasons += [(name, f"{title}: {reason}") for name, reason in result.failed.items()]
    if reasons:
        label = _("{n} files were left out; the rest is scored", n=len(reasons))
        with st.expander(label, icon=":material/rule:", key="scores_left_out"):
            st.dataframe([{_("File"): name, _("Why"): why} for name, why in reasons[:LISTED]], hide_index=True, height="content",
                         key="scores_left_out_table", alt=_("Files that were left out"))  # fmt: skip
            if len(reasons) > LISTED:
                st.caption(_("And {n} more.", n=len(reasons) - LISTED))


def _notes(evaluation: Evaluation, look: Look) -> list[str]:
    """How classes were brought together, and what else is to be known about the data."""
    found = [plain(notice.text, 400) for notice in evaluation.notices]
    for result in evaluation.results:
        title = plain(look.titles[result.candidate.key], 90)
        if result.unknown:
            found.append(_("{title} does not know {names}: for all networks, these pixels count as background.", title=title,
                           names=plain(", ".join(result.unknown), 200)))  # fmt: skip
        if result.extra:
            found.append(_("{title} also knows {names}: where it says so, it counts as background.", title=title,
                           names=plain(", ".join(result.extra), 200)))  # fmt: skip
        if result.shrunk:
            found.append(_("{title} saw {n} pictures smaller than it should, because memory was short.", title=title,
                           n=len(result.shrunk)))  # fmt: skip
    return found


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

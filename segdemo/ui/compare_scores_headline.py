"""Who is better: in one sentence about two candidates, and in a table of all."""

import hashlib
from dataclasses import replace

import streamlit as st

from segdemo.evaluation.scores.differences import Comparison, differences, sentence, verdict
from segdemo.evaluation.scores.results import Evaluation
from segdemo.evaluation.scores.summary import ranked, same_pictures
from segdemo.text import _
from segdemo.ui.compare_export import show_export
from segdemo.ui.compare_scores_run import Run
from segdemo.ui.compare_scores_tables import Look, show_headline
from segdemo.ui.words import plain

__all__ = ["show_verdict"]


def show_verdict(run: Run, evaluation: Evaluation, look: Look) -> bool:
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
    per_image = level == "mean"
    if pair is not None:
        with said:
            _verdict(evaluation, look, *pair, per_image=per_image)
    show_headline(evaluation, look, per_image=per_image, key="scores_headline")
    if not same_pictures(evaluation):
        st.warning(_("The networks were not scored on the same pictures, so that these rows cannot be compared directly, "
                     "and none is marked as the best. "
                     "The sentence above counts only pictures that both have."), icon=":material/balance:")  # fmt: skip
    return per_image


def _verdict(evaluation: Evaluation, look: Look, a: int, b: int, *, per_image: bool) -> None:
    """One sentence about two candidates, and whether it is more than luck."""
    if a == b:
        st.markdown(f"##### {_('Choose two different networks.')}")
        return
    found = _compared(evaluation, look, a, b, per_image=per_image)
    icon = {"better": "trending_up", "worse": "trending_down", "unclear": "drag_handle", "undefined": "help"}[verdict(found)]
    st.markdown(
        f"##### :material/{icon}: {plain(sentence(found), 500)}",
        help=_("{way} The interval holds 95 % of what other draws of such pictures would have given: a paired bootstrap over "
               "the pictures, {n:,} times. Points are hundredths of IoU. Where it holds zero, the order may be luck.",
               way=_("Each picture counts the same.") if per_image else _("All pixels count the same."),
               n=found.difference.resamples),
    )  # fmt: skip


def _pair(evaluation: Evaluation, look: Look) -> tuple[int, int]:
    """Which two are held against each other: at first the best and the second."""
    keys, order = [result.candidate.key for result in evaluation.results], ranked(evaluation)
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


def _compared(evaluation: Evaluation, look: Look, a: int, b: int, *, per_image: bool) -> Comparison:
    """The comparison, with the titles that the candidates have on the page."""
    found = differences(evaluation, a, b, per_image=per_image)
    return replace(found, a_key=look.titles[found.a_key], b_key=look.titles[found.b_key])

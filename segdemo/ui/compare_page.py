"""The Compare page: several networks on the same pictures, one view at a time.

The candidates stand on top and stay while views change. The picture comes from the sidebar, as on all pages.
"""

import streamlit as st

from segdemo.data import Picture
from segdemo.errors import SegdemoError
from segdemo.evaluation.candidate import Candidate, entry_of, parse_candidates
from segdemo.text import N_, _
from segdemo.ui.compare_cost import show_cost
from segdemo.ui.compare_data import PictureComparison, compare_on
from segdemo.ui.compare_disagreement import show_disagreement
from segdemo.ui.compare_lineups import DOMAINS, domain_of, lineups
from segdemo.ui.compare_panes import show_panes
from segdemo.ui.compare_picker import chosen_candidates, keep_candidates, show_picker
from segdemo.ui.compare_scores import SCORE_NAME, scores_by_candidate, show_scores
from segdemo.ui.fetching import offer_download
from segdemo.ui.state import Choice, activate, active_choice, choices, keep_mask, open_choice
from segdemo.ui.strip import show_strip
from segdemo.ui.url import COMPARE_VIEWS
from segdemo.ui.words import plain
from segdemo.weights import is_present

__all__ = ["show_compare_page"]

NOTES = {  # of samples whose own note speaks of one network
    "coins": N_("The networks were trained on cell nuclei and never saw a coin: they find what is bright and round."),
    "cell": N_("One living cell under a phase microscope, a kind of picture the networks were not trained on."),
    "immunohistochemistry": N_("A stain the networks never saw: they miss nearly everything, and that is worth seeing."),
}
SCORED_SAMPLES = {"nuclei": "nuclei-stained", "shapes": "shapes"}  # with an exact mask, for networks of that data set


def show_compare_page() -> None:
    """The question, who is compared, the choice of a view, and the view."""
    st.title(_("Which network should I trust with my pictures?"))
    candidates = chosen_candidates()
    available = choices()
    choice = active_choice(available)
    show_picker(candidates, domain_of(choice.sample.suggested if choice.sample else candidates[0].weights_id))
    view = _view_control()
    if view == "scores":
        show_scores(candidates)
        return
    picture = _opened(choice)
    if picture is not None:
        if view == "cost":
            show_cost(candidates, picture, scores_by_candidate(candidates), SCORE_NAME)
        else:
            _on_picture(view, choice, picture, candidates)
    _strip(available, choice, candidates)


def _view_control() -> str:
    words = {"panes": _("Panes"), "disagreement": _("Disagreement"), "scores": _("Scores"), "cost": _("Cost")}
    if st.session_state.get("compare") not in COMPARE_VIEWS:
        st.session_state["compare"] = COMPARE_VIEWS[0]
    chosen = st.segmented_control(
        _("View"), COMPARE_VIEWS, key="compare", persist_state="session", required=True, format_func=lambda name: words[name],
        label_visibility="collapsed",
        help=_("The picture in all networks at once; where they disagree; scores on a data set; what each costs."),
    )  # fmt: skip
    return chosen or COMPARE_VIEWS[0]


def _opened(choice: Choice) -> Picture | None:
    """The picture, or the sentence why it cannot be read."""
    try:
        return open_choice(choice)
    except SegdemoError as error:
        st.error(f"**{plain(choice.name)}**: {plain(str(error), 400)}", icon=":material/broken_image:")
        return None


def _on_picture(view: str, choice: Choice, picture: Picture, candidates: tuple[Candidate, ...]) -> None:
    """What the candidates make of one picture, and what has to be known about it."""
    place = st.container()
    with place:
        comparison = compare_on(choice, picture, candidates)
    with place:
        (show_panes if view == "panes" else show_disagreement)(comparison)
    for entry in {o.entry.weights_id: o.entry for o in comparison.outcomes if not is_present(o.entry)}.values():
        offer_download(entry)
    _notes(choice, comparison)


def _notes(choice: Choice, comparison: PictureComparison) -> None:
    """The picture's name and what to look for; what cannot be compared; better networks for it; its mask."""
    sample, domains = choice.sample, {domain_of(o.entry.weights_id) for o in comparison.outcomes}
    wanted = domain_of(sample.suggested) if sample else ""
    note = sample.note if sample is not None and wanted in domains else ""
    if note and sample is not None and sample.key in NOTES:
        note = _(NOTES[sample.key])
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{plain(choice.name)}**" + (f" · {note}" if note else ""), width="content")
        if wanted in DOMAINS and wanted not in domains:
            st.button(
                _("Networks for this picture"), key="compare_suited", icon=":material/lightbulb:", on_click=keep_candidates,
                args=(parse_candidates(list(lineups(wanted)[0].models)),),
                help=_("None of these was trained on such pictures. This compares ones that were."),
            )  # fmt: skip
        if comparison.truth is None and sample is not None:
            st.button(
                _("Open a sample with a known mask"), key="compare_known", icon=":material/fact_check:", on_click=_open_known,
                args=(SCORED_SAMPLES.get(next(iter(sorted(domains - {""})), ""), SCORED_SAMPLES["nuclei"]),),
                help=_("A generated scene, where the truth is exact: every network is scored and its errors are mapped."),
            )  # fmt: skip
        if sample is None:
            _mask_upload(choice)
    if len(comparison.comparable) < len([o for o in comparison.outcomes if o.prediction is not None]):
        for refused in comparison.space.refused.values():
            st.caption(f":material/info: {plain(refused.text, 400)} " + _("Its pane is shown, but not compared."))
    for weights_id, names in comparison.space.extra.items():
        if names:
            listed = ", ".join(names[:6]) + (" …" if len(names) > 6 else "")
            st.caption(":material/info: " + _("Classes of {id} that count as background in comparisons: {names}.",
                                              id=plain(weights_id), names=plain(listed, 200)))  # fmt: skip
    for sentence, titles in _notices(comparison).items():
        whose = "" if len(titles) == len(comparison.outcomes) else f"**{plain(', '.join(titles), 200)}**: "
        st.caption(f":material/info: {whose}{plain(sentence, 400)}")


def _open_known(key: str) -> None:
    st.session_state["sample"] = key
    activate("sample")


def _notices(comparison: PictureComparison) -> dict[str, list[str]]:
    """What should be known about results that are still good, and of which candidates."""
    found: dict[str, list[str]] = {}
    for outcome in comparison.outcomes:
        for notice in outcome.prediction.notices if outcome.prediction is not None else ():
            found.setdefault(notice.text, []).append(outcome.title)
    return found


def _mask_upload(choice: Choice) -> None:
    """Where the truth about a picture of the visitor's own is given."""
    with st.popover(_("Add its mask"), icon=":material/fact_check:", key="compare_mask",
                    help=_("With the truth, every network is scored and its errors are mapped.")):  # fmt: skip
        st.file_uploader(
            _("Mask of this picture"), type=["png", "tif", "tiff", "bmp", "gif"], key=f"mask_{choice.key}",
            on_change=keep_mask, args=(choice.key,),
            help=_("An image of the same size: black and white, or class numbers (indexed or grey PNG; 255 is ignored)."),
        )  # fmt: skip


def _strip(available: list[Choice], choice: Choice, candidates: tuple[Candidate, ...]) -> None:
    """The visitor's pictures, one click each, as the first network that is here sees them."""
    entry = next((entry for entry in map(entry_of, candidates) if is_present(entry)), None)
    if entry is not None:
        show_strip(available, choice, entry)

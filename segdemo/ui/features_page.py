"""The Feature maps page: a picture's walk through a network, and lenses that look at one stage of it.

The walk comes first; a click on it chooses the stage. Below, one lens at a time: what a stage computes, what a pixel
sees, what would be without a skip, what speaks for a class, how the mask grows. Two networks walk side by side.
"""

from collections.abc import Callable

import streamlit as st

from segdemo.errors import SegdemoError
from segdemo.inference.export import blend
from segdemo.text import _
from segdemo.types import LabelMap, RGBImage
from segdemo.ui.diagram_layout import shape_text
from segdemo.ui.features_beside import matching_stage, network_title, second_network
from segdemo.ui.features_export import export_menu
from segdemo.ui.features_gate import show_gate
from segdemo.ui.features_probe import show_probe
from segdemo.ui.features_source import show_source
from segdemo.ui.features_stage import show_stage, stage_controls
from segdemo.ui.features_time import show_time_lapse
from segdemo.ui.features_walk import show_walk
from segdemo.ui.features_whatif import WhatIf, changed_logits, show_what_if, switched_off, what_if_controls
from segdemo.ui.features_why import show_why, why_controls
from segdemo.ui.fetching import offer_download
from segdemo.ui.state import active_choice, choices, chosen_weights, open_choice, truth_for
from segdemo.ui.strip import show_strip
from segdemo.ui.study import Study, fields_of_network, prediction_from, study_of, truth_at
from segdemo.ui.words import plain
from segdemo.weights import get_network, is_ready, untrained

__all__ = ["show_features_page"]

LENSES = ("stage", "probe", "whatif", "why", "time", "gate")
WALK_KEYS = ("walk", "walk_second")


def show_features_page() -> None:
    """The walk, the chosen stage's name with its neighbours, and the lens."""
    heading = st.container(horizontal=True, vertical_alignment="center", gap="small")
    heading.title(_("What does each stage of the network see?"), width="stretch")
    with heading:
        second_network(chosen_weights())
    studies = _studies()
    if not studies:
        return
    first = studies[0]
    stage = _chosen_stage(first)
    with heading:
        export_menu(first, stage)
    walks = st.container()
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", gap="small"):
        lens = _lens_control(first)
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", width="content"):
            _stepper(first, stage)
    truths = [_truth(study) for study in studies]
    what_if = _lens(lens, studies, stage, truths)
    with walks:
        _walks(studies, stage, what_if)
    show_source(lens)
    show_strip(choices(), active_choice(choices()), chosen_weights())


def _studies() -> list[Study]:
    """Of the chosen network, and of the second one if there is one. What cannot be shown is said."""
    entry, found = chosen_weights(), []
    if not is_ready(entry):
        offer_download(entry)
        st.info(_("Until then, this is the same network before its training, with random values."), icon=":material/info:")
        entry = untrained(entry)
    for name in (entry.weights_id, st.session_state.get("second") or ""):
        if name and (study := _study(name)) is not None:
            found.append(study)
    return found


def _study(name: str) -> Study | None:
    choice = active_choice(choices())
    if not is_ready(get_network(name)):
        offer_download(get_network(name))
        return None
    try:
        with st.spinner(_("Recording {picture} …", picture=plain(choice.name)), show_time=True):
            return study_of(open_choice(choice), name)
    except SegdemoError as error:
        st.error(f"**{plain(choice.name)}**, {network_title(name)}: {error}", icon=":material/broken_image:")
        return None


def _truth(study: Study) -> LabelMap | None:
    truth = truth_for(active_choice(choices()), study.picture.full_size, study.entry.classes, st.container())
    return truth_at(truth, study)


def _chosen_stage(study: Study) -> str:
    """The stage in the session; the first decoder stage, or the middle one, where the network has no such stage."""
    stage = st.session_state.get("stage")
    if stage not in study.stages:
        stage = study.stages[min(1, len(study.stages) - 1)]
        st.session_state["stage"] = stage
    return str(stage)


def _stage_clicked(key: str) -> None:
    chosen = st.session_state[key].get("chosen")
    if isinstance(chosen, str):
        st.session_state["stage"] = chosen


def _walks(studies: list[Study], stage: str, what_if: WhatIf | None) -> None:
    """One network as its diagram; two as film strips, one above the other."""
    for study, key in zip(studies, WALK_KEYS, strict=False):
        if len(studies) > 1:
            st.markdown(f"**{network_title(study.entry.weights_id)}**")
        linked = stage if study is studies[0] else matching_stage(study, stage, studies[0])
        show_walk(
            study, linked, key, compact=len(studies) > 1, off=switched_off(what_if) if what_if else None,
            mask=_changed_mask(study, what_if), on_chosen=_click_handler(key, study, studies[0]),
        )  # fmt: skip
    height, width = studies[0].seen.shape[:2]
    full_height, full_width = studies[0].picture.full_size
    size = _("{w} × {h} px", w=width, h=height)
    if (height, width) != (full_height, full_width):
        size = _("{w} × {h} px (the picture has {W} × {H})", w=width, h=height, W=full_width, H=full_height)
    st.caption(
        _("Each thumbnail is all channels of a stage at once: their three principal components as colours. "
          "Recorded in one pass at {size}.", size=size)
    )  # fmt: skip


def _click_handler(key: str, study: Study, first: Study) -> Callable[[], None]:
    """A click in the second walk chooses the stage of the first that belongs to it."""
    if study is first:
        return lambda: _stage_clicked(key)

    def clicked() -> None:
        chosen = st.session_state[key].get("chosen")
        if isinstance(chosen, str) and chosen in study.stages:
            st.session_state["stage"] = matching_stage(first, chosen, study)

    return clicked


def _changed_mask(study: Study, what_if: WhatIf | None) -> RGBImage | None:
    """The mask at the end of the walk, where something is switched."""
    if what_if is None or not what_if.any or study.prediction is None:
        return None
    try:
        prediction = prediction_from(study, changed_logits(study, what_if))
    except SegdemoError:
        return None  # the lens says why
    return blend(study.seen, prediction.preds, prediction.classes, 0.6)


def _stepper(study: Study, stage: str) -> None:
    """Previous and next, and what the stage is in one line."""
    place = study.stages.index(stage)
    for step, icon, tip in (
        (-1, ":material/chevron_left:", _("Previous stage")),
        (1, ":material/chevron_right:", _("Next stage")),
    ):
        there = place + step
        st.button(
            "", icon=icon, help=tip, key=f"step_{step}", disabled=not 0 <= there < len(study.stages), on_click=_go,
            args=(study.stages[there % len(study.stages)],), shortcut="P" if step < 0 else "N",
        )  # fmt: skip
    part = study.anatomy.part(stage)
    field = fields_of_network(study.entry.weights_id)[stage]
    sees = _("sees the whole picture") if field.whole else _("sees {n} × {n} px ({sure})", n=field.size, sure=_sure(study, stage))
    st.markdown(f"**{stage}** · {shape_text(part.shape)} · {sees}", width="content")


def _sure(study: Study, stage: str) -> str:
    words = {
        "exact": _("exact"), "upper bound": _("upper bound"),
        "convolutions only": _("by convolutions; its normalisation reads the whole map"),
    }  # fmt: skip
    return words[study.places[stage].kind]


def _go(stage: str) -> None:
    st.session_state["stage"] = stage


def _lens_control(study: Study) -> str:
    words = {
        "stage": _("Channels"), "probe": _("Probe a pixel"), "whatif": _("What if"), "why": _("Why"), "time": _("Time-lapse"),
        "gate": _("Gate"),
    }  # fmt: skip
    shown = [lens for lens in LENSES if lens != "gate" or study.entry.model == "unet3_plus"]
    if st.session_state.get("lens") not in shown:
        st.session_state["lens"] = "stage"
    lens = st.segmented_control(
        _("Lens"), shown, key="lens", persist_state="session", required=True, format_func=lambda name: words[name],
        label_visibility="collapsed", help=_("What to look at. The walk above stays."),
    )  # fmt: skip
    return lens or "stage"


def _lens(lens: str, studies: list[Study], stage: str, truths: list[LabelMap | None]) -> WhatIf | None:
    """The lens over one network, or over two in columns with the same settings."""
    first = studies[0]
    if lens in ("why", "whatif") and first.prediction is None and not (lens == "whatif" and first.drawn is not None):
        st.info(_("This network labels no pixels: there is no class to ask about."), icon=":material/info:")
        return None
    what_if: WhatIf | None = None
    if len(studies) > 1:  # each half needs the width
        side, body = st.container(horizontal=True, vertical_alignment="bottom"), st.container()
    elif lens in ("stage", "why"):
        body, side = st.columns([7, 2], gap="medium")
    else:
        side, body = st.container(), st.container()
    with side:
        match lens:
            case "whatif":
                what_if = switches = what_if_controls(first)
                draw: Draw = lambda study, _stage, truth, key: show_what_if(study, switches, truth, key)  # noqa: E731
            case "why":
                asked = why_controls(first)
                draw = lambda study, name, _truth, _key: show_why(study, name, *asked)  # noqa: E731
            case "probe":
                draw = lambda study, name, _truth, key: show_probe(study, name, key)  # noqa: E731
            case "time":
                draw = lambda study, _stage, truth, key: show_time_lapse(study, truth, key)  # noqa: E731
            case "gate":
                draw = lambda study, _stage, _truth, _key: show_gate(study)  # noqa: E731
            case _:
                view = stage_controls(first, stage)
                draw = lambda study, name, _truth, key: show_stage(study, name, view, key)  # noqa: E731
    with body:
        _side_by_side(studies, stage, truths, lens, draw)
    return what_if


Draw = Callable[[Study, str, LabelMap | None, str], None]


def _side_by_side(studies: list[Study], stage: str, truths: list[LabelMap | None], lens: str, draw: Draw) -> None:
    columns = st.columns(len(studies), gap="medium") if len(studies) > 1 else [st.container()]
    for place, (column, study, truth) in enumerate(zip(columns, studies, truths, strict=True)):
        linked = stage if place == 0 else matching_stage(study, stage, studies[0])
        with column:
            if place or len(studies) > 1:
                st.markdown(f"**{network_title(study.entry.weights_id)}** · {linked}")
            draw(study, linked, truth, f"{lens}_{place}")

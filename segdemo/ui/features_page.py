"""The Feature maps page: a picture's walk through a network, and lenses that look at one stage of it.

The walk comes first; a click on it chooses the stage. Below, one lens at a time: what a stage computes, what a pixel
sees, what would be without a skip, what speaks for a class, how the mask grows. Two networks walk side by side.
"""

from collections.abc import Callable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from segdemo.errors import SegdemoError
from segdemo.inference.export import blend
from segdemo.text import _
from segdemo.types import LabelMap, RGBImage
from segdemo.ui.diagram_layout import shape_text
from segdemo.ui.features_beside import matching_stage, network_title, second_network
from segdemo.ui.features_changes import WhatIf, changed_logits
from segdemo.ui.features_export import export_menu
from segdemo.ui.features_gate import show_gate
from segdemo.ui.features_parts import certainty, sees_words
from segdemo.ui.features_probe import show_probe
from segdemo.ui.features_source import show_source
from segdemo.ui.features_stage import show_stage, stage_controls
from segdemo.ui.features_time import show_time_lapse
from segdemo.ui.features_walk import show_walk
from segdemo.ui.features_whatif import show_what_if, switched_off, what_if_controls
from segdemo.ui.features_why import show_why, why_controls
from segdemo.ui.fetching import offer_download
from segdemo.ui.state import active_choice, choices, chosen_weights, open_choice, truth_for
from segdemo.ui.strip import show_strip
from segdemo.ui.study import Study, prediction_from, study_of, truth_at
from segdemo.ui.url import LENSES
from segdemo.ui.words import plain
from segdemo.weights import get_network, is_ready, untrained

__all__ = ["show_features_page"]

WALK_KEYS = ("walk", "walk_second")


def show_features_page() -> None:
    """The walk, the chosen stage's name with its neighbours, and the lens."""
    heading = st.container(horizontal=True, vertical_alignment="center", gap="small")
    heading.title(_("What does each stage of the network see?"), width="stretch")
    with heading:
        second_network(chosen_weights())
    studies = _studies()
    if not studies:
        _strip()
        return
    first = studies[0]
    stage = _chosen_stage(first)
    with heading:
        export_menu(first, stage)
    walks = st.container()
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", gap="small"):
        lens = _lens_control(first)
        if lens not in ("time", "gate"):
            with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", width="content"):
                _stepper(first, stage)
    if lens in ("channels", "probe", "why") and len(studies) == 1:
        st.markdown(_stage_line(first, stage))
    truths = [_truth(study) for study in studies]
    what_if = _lens(lens, studies, stage, truths)
    with walks:
        _walks(studies, stage, what_if)
        _strip()
    show_source(lens)


def _strip() -> None:
    """The visitor's pictures, one click each."""
    available = choices()
    show_strip(available, active_choice(available), chosen_weights())


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
    """The stage in the session; the second one, where the network has no such stage."""
    stage = st.session_state.get("stage")
    if stage not in study.stages:
        stage = study.stages[min(1, len(study.stages) - 1)]
        st.session_state["stage"] = stage
    return str(stage)


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
        values = {"w": width, "h": height, "W": full_width, "H": full_height}
        size = (
            _("{w} × {h} px (the picture has {W} × {H}; this network was trained on larger ones)", **values)
            if height > full_height else _("{w} × {h} px (the picture has {W} × {H})", **values)
        )  # fmt: skip
    st.caption(
        _("Each thumbnail is all channels of a stage at once, their principal components as colours; under it channels × "
          "height × width. Recorded in one pass at {size}.", size=size)
    )  # fmt: skip


def _click_handler(key: str, study: Study, first: Study) -> Callable[[], None]:
    """A click in a walk chooses the stage; in the second one, the stage of the first that belongs to it."""

    def clicked() -> None:
        chosen = st.session_state[key].get("chosen")
        if chosen in study.stages:
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
    """Previous and next."""
    number = study.stages.index(stage)
    for step, icon, label, tip in (
        (-1, ":material/chevron_left:", _("Previous"), _("The stage before this one")),
        (1, ":material/chevron_right:", _("Next"), _("The stage after this one")),
    ):
        there = number + step
        st.button(
            label, icon=icon, help=tip, key=f"step_{step}", disabled=not 0 <= there < len(study.stages), on_click=_go,
            args=(study.stages[there % len(study.stages)],), shortcut="P" if step < 0 else "N",
        )  # fmt: skip


def _stage_line(study: Study, stage: str) -> str:
    """What a stage is called, puts out and sees."""
    place, line = study.places[stage], f"**{stage}** · {shape_text(study.anatomy.part(stage).shape)}"
    if place.away_from_border is None:
        return line
    return f"{line} · " + _("sees {what} ({sure})", what=sees_words(place.away_from_border), sure=certainty(place.kind))


def _go(stage: str) -> None:
    st.session_state["stage"] = stage


def _lens_control(study: Study) -> str:
    words = {
        "channels": _("Channels"), "probe": _("Probe a pixel"), "whatif": _("What if"), "why": _("Why"), "time": _("Time-lapse"),
        "gate": _("Gate"),
    }  # fmt: skip
    shown = _lenses_of(study)
    if st.session_state.get("lens") not in shown:
        st.session_state["lens"] = LENSES[0]
    lens = st.segmented_control(
        _("Lens"), shown, key="lens", persist_state="session", required=True, format_func=lambda name: words[name],
        label_visibility="collapsed", help=_("What to look at. The walk above stays."),
    )  # fmt: skip
    return lens or LENSES[0]


def _lenses_of(study: Study) -> list[str]:
    """Those that have something to show: no class without labels, no gate but in U-Net 3+."""
    asks_classes = study.prediction is not None
    needs = {"whatif": asks_classes or study.drawn is not None, "why": asks_classes, "time": asks_classes,
             "gate": study.entry.model == "unet3_plus"}  # fmt: skip
    return [lens for lens in LENSES if needs.get(lens, True)]


Draw = Callable[[Study, str, LabelMap | None, str], None]  # of one network: its study, stage, exact mask, a key for widgets


def _lens(lens: str, studies: list[Study], stage: str, truths: list[LabelMap | None]) -> WhatIf | None:
    """The lens over one network, or over two in columns with the same settings. Returns what is switched, if that is it."""
    first = studies[0]
    if (lens == "why" and first.prediction is None) or (lens == "whatif" and first.prediction is None and first.drawn is None):
        st.info(_("This network labels no pixels: there is no class to ask about."), icon=":material/info:")
        return None
    controls, body = _places(lens, len(studies))
    with controls:
        try:
            draw, what_if = _drawing(lens, first, stage, wide=len(studies) > 1)
        except SegdemoError as error:
            st.error(str(error), icon=":material/error:")
            return None
    with body:
        _side_by_side(studies, stage, truths, lens, draw)
    return what_if


def _places(lens: str, networks: int) -> tuple[DeltaGenerator, DeltaGenerator]:
    """Where the controls stand, and where the pictures: beside each other, where there is width for it."""
    if networks > 1 and lens != "whatif":
        return st.container(horizontal=True, vertical_alignment="bottom"), st.container()
    if lens in ("channels", "why"):
        body, side = st.columns([7, 2], gap="medium")
        return side, body
    return st.container(), st.container()


def _drawing(lens: str, first: Study, stage: str, *, wide: bool) -> tuple[Draw, WhatIf | None]:
    """The lens's controls, and what draws one network with what they say."""
    match lens:
        case "whatif":
            what_if = what_if_controls(first)
            return lambda study, _stage, truth, key: show_what_if(study, what_if, truth, key), what_if
        case "why":
            question = why_controls(first)
            return lambda study, name, _truth, _key: show_why(study, name, question, first), None
        case "probe":
            return lambda study, name, _truth, key: show_probe(study, name, key), None
        case "time":
            return lambda study, _stage, truth, key: show_time_lapse(study, truth, key), None
        case "gate":
            return lambda study, _stage, _truth, key: show_gate(study, key), None
        case _:
            view = stage_controls(first, stage, wide=wide)
            return lambda study, name, _truth, key: show_stage(study, name, view, key, first), None


def _side_by_side(studies: list[Study], stage: str, truths: list[LabelMap | None], lens: str, draw: Draw) -> None:
    columns = st.columns(len(studies), gap="medium") if len(studies) > 1 else [st.container()]
    for place, (column, study, truth) in enumerate(zip(columns, studies, truths, strict=True)):
        linked = matching_stage(study, stage, studies[0]) if place else stage
        with column:
            if len(studies) > 1:
                st.markdown(f"**{network_title(study.entry.weights_id)}**  \n{_stage_line(study, linked)}")
            draw(study, linked, truth, f"{lens}_{place}")

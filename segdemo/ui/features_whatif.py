"""What if: skips and stages switched off, up-sampling swapped, learned statistics dropped, and what becomes of the mask."""

from collections.abc import Iterable

import numpy as np
import streamlit as st
from torch import Tensor

from segdemo.errors import SegdemoError
from segdemo.features import Allowed, Changes, Switch, Switchable, allows, switchable
from segdemo.features.substitutes import Way
from segdemo.inference.agreement import overlap
from segdemo.inference.reconstruction import drawn_picture
from segdemo.text import _
from segdemo.types import LabelMap, RGBImage
from segdemo.ui.features_changes import WhatIf, changed_logits
from segdemo.ui.features_importance import show_importance
from segdemo.ui.features_parts import masked, show_picture
from segdemo.ui.features_walk import Off
from segdemo.ui.state import other_pictures
from segdemo.ui.study import Study, course_of, prediction_from
from segdemo.ui.words import percent, plain

__all__ = ["show_what_if", "switched_off", "what_if_controls"]

STATE_KEY, NETWORK_KEY = "switches", "switches_of"  # (stage, skip_to) → way; the network that has them
WAYS: tuple[Way, ...] = ("zero", "mean", "noise", "other")
REMOVED, ADDED, CHANGED = (213, 94, 0), (0, 114, 178), (204, 121, 167)  # Okabe–Ito

Place = tuple[str, str | None]


def _chosen() -> dict[Place, Way]:
    kept: dict[Place, Way] = st.session_state.setdefault(STATE_KEY, {})
    return kept


def _label(place: Place) -> str:
    stage, skip_to = place
    way = _chosen().get(place)
    name = stage if skip_to is None else f"{stage} → {skip_to}"
    return f"{name} · {_way_words()[way]}" if way else name


def _way_words() -> dict[str, str]:
    return {"zero": _("zero"), "mean": _("its mean"), "noise": _("noise"), "other": _("another picture's")}


def _pills_changed(key: str, shown: tuple[Place, ...]) -> None:
    """What was newly clicked takes the way that is chosen; what was clicked away is as it was."""
    kept, selected = _chosen(), set(st.session_state[key] or [])
    for place in shown:
        if place not in selected:
            kept.pop(place, None)
        elif place not in kept:
            kept[place] = st.session_state.get("switch_way") or "zero"


def _way_changed() -> None:
    """Everything that is switched takes the new way."""
    for place in _chosen():
        _chosen()[place] = st.session_state["switch_way"]


def _reset() -> None:
    _chosen().clear()
    for key in ("switch_stages", "switch_skips"):
        st.session_state[key] = []
    st.session_state["swap_upsampling"] = "as trained"
    st.session_state["own_statistics"] = False


def what_if_controls(study: Study) -> WhatIf:
    """The switchboard: a way, then a click on every skip or stage that shall be switched. Raises what `course_of` raises."""
    _forget_others(study)
    with st.spinner(_("Following the picture through the network …"), show_time=True):
        course = course_of(study)
    offered = switchable(study.recording, course)
    words = _way_words()
    if st.session_state.get("switch_way") not in WAYS:
        st.session_state["switch_way"] = WAYS[0]
    others = {key: plain(choice.name, 24) for key, choice in other_pictures(study.picture).items()}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        way = st.segmented_control(
            _("Switch to"), WAYS, key="switch_way", persist_state="session", required=True,
            format_func=lambda w: words[w], on_change=_way_changed,
            help=_("What takes a map's place: zeros; each channel's mean; noise with each channel's mean and spread; or the "
                   "same stage's map of another picture."),
        )  # fmt: skip
        other = None
        if way == "other" or "other" in _chosen().values():
            other = st.selectbox(_("Other picture"), list(others), key="switch_other", format_func=lambda k: others[k])
        upsampling, own = _layer_controls(allows(course))
        st.button(_("All as it was"), icon=":material/undo:", on_click=_reset, key="switch_reset")
    skips = tuple((s.stage, s.skip_to) for s in offered if s.skip_to)
    stages = tuple((s.stage, None) for s in offered if s.skip_to is None)
    if skips:
        _pills(
            _("Skips"), "switch_skips", skips, _("A skip is switched only where it feeds the later stage; the main way stays.")
        )
    _pills(_("Stages"), "switch_stages", stages, _("A stage is switched for everything after it."))
    switches = _switches(offered)
    return WhatIf(Changes(switches, upsampling, own), other)  # type: ignore[arg-type]


def _pills(label: str, key: str, places: tuple[Place, ...], tip: str) -> None:
    st.session_state[key] = [place for place in places if place in _chosen()]
    st.pills(
        label, places, selection_mode="multi", key=key, format_func=_label, help=tip, wrap=True,
        on_change=_pills_changed, args=(key, places),
    )  # fmt: skip


def _forget_others(study: Study) -> None:
    """Another network has other stages: there, everything begins as it was trained."""
    if st.session_state.get(NETWORK_KEY) != study.entry.weights_id:
        _chosen().clear()
    st.session_state[NETWORK_KEY] = study.entry.weights_id


def _switches(offered: Iterable[Switchable]) -> tuple[Switch, ...]:
    """Each chosen place in its way; in the first way it has where the chosen one does not exist for it."""
    ways = {(s.stage, s.skip_to): s.ways for s in offered}
    return tuple(
        Switch(stage, skip_to, way if way in ways[stage, skip_to] else ways[stage, skip_to][0])
        for (stage, skip_to), way in sorted(_chosen().items(), key=str)
    )


def _layer_controls(allowed: Allowed) -> tuple[str | None, bool]:
    upsampling, own = "as trained", False
    if allowed.upsampling:
        words = {"as trained": _("as trained"), "nearest": _("nearest"), "bilinear": _("bilinear")}
        upsampling = st.segmented_control(
            _("Up-sampling"), list(words), key="swap_upsampling", default="as trained", required=True,
            format_func=lambda u: words[u],
            help=_("Every enlargement in the network by this mode instead. Transposed convolutions keep what they do to "
                   "the channels and lose their pattern."),
        )  # fmt: skip
    if allowed.own_statistics:
        own = st.toggle(
            _("Own statistics"), key="own_statistics",
            help=_("Batch normalisation by this picture's own mean and variance, instead of those that were learned."),
        )  # fmt: skip
    return (None if upsampling in (None, "as trained") else upsampling), own


def switched_off(what_if: WhatIf) -> Off:
    """For the walk's diagram."""
    stages = frozenset(s.stage for s in what_if.changes.switches if s.skip_to is None)
    skips = frozenset((s.stage, s.skip_to) for s in what_if.changes.switches if s.skip_to is not None)
    return Off(stages, skips)


def show_what_if(study: Study, what_if: WhatIf, truth: LabelMap | None, key: str) -> None:
    """The mask before and now, where they differ, and the scores."""
    try:
        logits = changed_logits(study, what_if)
    except SegdemoError as error:
        st.error(str(error), icon=":material/error:")
        return
    if study.prediction is None:
        _drawn_again(study, logits)
        return
    before, now = study.prediction, prediction_from(study, logits)
    pictures = [(_("Mask as trained"), masked(study.seen, before.preds, before.classes))]
    if what_if.any:
        pictures.append((_("Mask now"), masked(study.seen, now.preds, now.classes)))
        pictures.append((_("Difference"), _difference(study.seen, before.preds, now.preds)))
    columns = st.columns(3)
    for column, (title, pixels) in zip(columns, pictures, strict=False):
        with column:
            st.markdown(f"**{title}**")
            show_picture(pixels, title, smooth=True)
    if what_if.any:
        _legend_of_difference(len(before.classes), float((before.preds != now.preds).mean()))
        _scores(before.preds, now.preds, truth, len(before.classes))
    else:
        columns[1].info(_("Click a skip or a stage above to switch it off, and see what becomes of the mask."))
    show_importance(study, truth, key)


def _legend_of_difference(classes: int, changed: float) -> None:
    """What the three colours mean, each with its colour; the third only where there are several classes."""
    kinds = [(REMOVED, _("lost")), (ADDED, _("gained"))] + ([(CHANGED, _("another class"))] if classes > 2 else [])
    swatch = '<span style="display:inline-block;width:12px;height:12px;border-radius:3px;background:rgb{}"></span> {}'
    words = " &nbsp; ".join(swatch.format(colour, text) for colour, text in kinds)
    share = _("{share} of the pixels have changed their label", share=percent(changed))
    st.html(f'<div style="font-size:14px">{words} &nbsp; · &nbsp; {share}</div>')


def _drawn_again(study: Study, logits: Tensor) -> None:
    if study.drawn is None:
        st.info(_("This network says one thing about the whole picture and draws no mask."), icon=":material/info:")
        return
    now = drawn_picture(logits, study.seen, study.geometry, study.preprocessing)
    for column, (title, pixels) in zip(
        st.columns(3), ((_("Picture"), study.seen), (_("Drawn as trained"), study.drawn), (_("Drawn now"), now)), strict=True
    ):
        with column:
            st.markdown(f"**{title}**")
            show_picture(pixels, title, smooth=True)


def _difference(image: RGBImage, before: LabelMap, now: LabelMap) -> RGBImage:
    """What was lost to the background, what was gained from it, and what has changed its class, on a dimmed picture."""
    drawn = (image * 0.35).astype(np.uint8)
    drawn[(before > 0) & (now == 0)] = REMOVED
    drawn[(before == 0) & (now > 0)] = ADDED
    drawn[(before > 0) & (now > 0) & (before != now)] = CHANGED
    return drawn


def _scores(before: LabelMap, now: LabelMap, truth: LabelMap | None, classes: int) -> None:
    """Against the exact mask where there is one, else against the untouched network."""
    target = before if truth is None else truth
    old, new = overlap(before, target, classes), overlap(now, target, classes)
    with st.container(horizontal=True, gap="large"):
        for name, was, become in zip(("Dice", "IoU"), old, new, strict=True):
            value, delta = ("–", None) if np.isnan(become) else (f"{become:.3f}", f"{become - was:+.3f}")
            st.metric(name, value, delta if delta not in ("+0.000", "-0.000") else None, width="content")
    against = _("Against the exact mask.") if truth is not None else _(
        "There is no exact mask of this picture: compared with the network's own untouched mask.")  # fmt: skip
    st.caption(against)

"""What if: skips and stages switched off, up-sampling swapped, learned statistics dropped, and what becomes of the mask."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray
from torch import Tensor

from segdemo.errors import SegdemoError
from segdemo.features import Changes, Recording, Switch, Switchable, allows, run_changed, switchable
from segdemo.features.substitutes import Way
from segdemo.inference import shared_engine
from segdemo.inference.cache import BoundedCache
from segdemo.inference.reconstruction import drawn_picture
from segdemo.metrics import confusion_matrix, dice_per_class, iou_per_class
from segdemo.text import _
from segdemo.types import IGNORE_INDEX, LabelMap, RGBImage
from segdemo.ui.features_parts import masked, show_picture
from segdemo.ui.features_walk import Off
from segdemo.ui.state import open_choice, other_pictures
from segdemo.ui.study import Study, prediction_from, study_of
from segdemo.ui.words import percent, plain

__all__ = ["WhatIf", "changed_logits", "overlap", "show_what_if", "switched_off", "what_if_controls"]

STATE_KEY = "switches"  # (stage, skip_to) → way
WAYS: tuple[Way, ...] = ("zero", "mean", "noise", "other")
LOGITS_MEMORY_BYTES = 120_000_000
REMOVED, ADDED, CHANGED = (213, 94, 0), (0, 114, 178), (204, 121, 167)  # Okabe–Ito

_logits: BoundedCache[tuple[object, ...], Tensor] = BoundedCache(LOGITS_MEMORY_BYTES, lambda t: t.numel() * 4)
Place = tuple[str, str | None]


@dataclass(frozen=True)
class WhatIf:
    """What is changed, and whose activation takes a map's place where "other" is chosen."""

    changes: Changes
    other: str | None  # key of a choice

    @property
    def any(self) -> bool:
        return self.changes != Changes()


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
    """What was newly clicked takes the way that is chosen now; what was clicked away is as it was."""
    kept, selected = _chosen(), set(st.session_state[key] or [])
    for place in shown:
        if place not in selected:
            kept.pop(place, None)
        elif place not in kept:
            kept[place] = st.session_state.get("switch_way") or "zero"


def _reset() -> None:
    _chosen().clear()
    for key in ("switch_stages", "switch_skips"):
        st.session_state[key] = []
    st.session_state["swap_upsampling"] = "as trained"
    st.session_state["own_statistics"] = False


def what_if_controls(study: Study) -> WhatIf:
    """The switchboard: a way, then a click on every skip or stage that shall be switched."""
    offered = switchable(study.recording)
    words = _way_words()
    others = {key: plain(choice.name, 24) for key, choice in other_pictures(study.picture).items()}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        way = st.segmented_control(
            _("Switch to"), WAYS, key="switch_way", default="zero", required=True,
            format_func=lambda w: words[w],
            help=_("What takes a map's place: zeros; each channel's mean; noise with each channel's mean and spread; or the "
                   "same stage's map of another picture."),
        )  # fmt: skip
        other = None
        if way == "other" or "other" in _chosen().values():
            other = st.selectbox(_("Other picture"), list(others), key="switch_other", format_func=lambda k: others[k])
        st.button(_("All as it was"), icon=":material/undo:", on_click=_reset, key="switch_reset")
    skips = tuple((s.stage, s.skip_to) for s in offered if s.skip_to)
    stages = tuple((s.stage, None) for s in offered if s.skip_to is None)
    _forget_others({*skips, *stages})
    if skips:
        _pills(
            _("Skips"), "switch_skips", skips, _("A skip is switched only where it feeds the later stage; the main way stays.")
        )
    _pills(_("Stages"), "switch_stages", stages, _("A stage is switched for everything after it."))
    upsampling, own = _layer_controls(study)
    switches = _switches(offered)
    return WhatIf(Changes(switches, upsampling, own), other)  # type: ignore[arg-type]


def _pills(label: str, key: str, places: tuple[Place, ...], tip: str) -> None:
    st.session_state[key] = [place for place in places if place in _chosen()]
    st.pills(
        label, places, selection_mode="multi", key=key, format_func=_label, help=tip, wrap=True,
        on_change=_pills_changed, args=(key, places),
    )  # fmt: skip


def _forget_others(offered: set[Place]) -> None:
    """Another network has other stages."""
    for place in [place for place in _chosen() if place not in offered]:
        _chosen().pop(place)


def _switches(offered: Iterable[Switchable]) -> tuple[Switch, ...]:
    """Each chosen place in its way; in the first way it has where the chosen one does not exist for it."""
    ways = {(s.stage, s.skip_to): s.ways for s in offered}
    return tuple(
        Switch(stage, skip_to, way if way in ways[stage, skip_to] else ways[stage, skip_to][0])
        for (stage, skip_to), way in sorted(_chosen().items(), key=str)
    )


def _layer_controls(study: Study) -> tuple[str | None, bool]:
    allowed = allows(study.recording)
    upsampling, own = "as trained", False
    with st.container(horizontal=True, vertical_alignment="bottom"):
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
                _("Batch norm by this picture's own statistics"), key="own_statistics",
                help=_("Instead of the mean and variance that were learned."),
            )  # fmt: skip
    return (None if upsampling in (None, "as trained") else upsampling), own


def switched_off(what_if: WhatIf) -> Off:
    """For the walk's diagram."""
    stages = frozenset(s.stage for s in what_if.changes.switches if s.skip_to is None)
    skips = frozenset((s.stage, s.skip_to) for s in what_if.changes.switches if s.skip_to is not None)
    return Off(stages, skips)


def changed_logits(study: Study, what_if: WhatIf) -> Tensor:
    """Logits with the changes, remembered by network, picture and switches. Raises what recording another picture raises."""
    if not what_if.any:
        return study.recording.logits
    other = _other(study, what_if)
    changes = _fitting(study, what_if.changes)
    key = (study.key, changes, other and what_if.other)
    return _logits.get_or_make(
        key, lambda: shared_engine().study(
            study.entry.weights_id, lambda m: run_changed(m, study.recording, changes, other=other)
        ),
    )  # fmt: skip


def _fitting(study: Study, changes: Changes) -> Changes:
    """Only those switches that exist in this network: the second of two may be another one."""
    offered = {(s.stage, s.skip_to): s.ways for s in switchable(study.recording)}
    kept = tuple(s for s in changes.switches if s.way in offered.get((s.stage, s.skip_to), ()))
    return Changes(kept, changes.upsampling, changes.own_statistics)


def _other(study: Study, what_if: WhatIf) -> Recording | None:
    if not any(switch.way == "other" for switch in what_if.changes.switches):
        return None
    choice = other_pictures(study.picture).get(what_if.other or "")
    return None if choice is None else study_of(open_choice(choice), study.entry.weights_id).recording


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
    pictures = (
        (_("Mask as trained"), masked(study.seen, before.preds, before.classes)),
        (_("Mask now"), masked(study.seen, now.preds, now.classes)),
        (_("Difference"), _difference(study.seen, before.preds, now.preds)),
    )
    for column, (title, pixels) in zip(st.columns(3), pictures, strict=True):
        with column:
            st.markdown(f"**{title}**")
            show_picture(pixels, title, smooth=True)
    changed = float((before.preds != now.preds).mean())
    st.caption(
        ":orange-badge[" + _("lost") + "] :blue-badge[" + _("gained") + "] :violet-badge[" + _("another class") + "] · "
        + _("{share} of the pixels have changed their label.", share=percent(changed))
    )  # fmt: skip
    _scores(before.preds, now.preds, truth, len(before.classes))
    _importance(study, truth, key)


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


def overlap(preds: LabelMap, target: LabelMap, classes: int) -> tuple[float, float]:
    """(Dice, IoU): of the foreground, or the mean over the foreground classes that occur. NaN where there are none."""
    matrix = confusion_matrix(preds, target, classes, IGNORE_INDEX)
    dice, iou = dice_per_class(matrix)[1:], iou_per_class(matrix)[1:]
    known = ~np.isnan(iou)
    return (float(dice[known].mean()), float(iou[known].mean())) if known.any() else (float("nan"), float("nan"))


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


def _importance(study: Study, truth: LabelMap | None, key: str) -> None:
    """Each skip and stage switched to zero by itself: which of them the mask depends on."""
    with st.expander(
        _("Which skip and which stage matters most?"), icon=":material/bar_chart:", key=f"{key}_importance", on_change="rerun"
    ) as opened:
        if not opened.open:
            return
        places = [(s.stage, s.skip_to) for s in switchable(study.recording)]
        with st.spinner(_("Switching {n} things off, one at a time …", n=len(places)), show_time=True):
            values = [_alone(study, place, truth) for place in places]
        names = [stage if skip is None else f"{stage} → {skip}" for stage, skip in places]
        st.plotly_chart(_bars(names, np.array(values), places), config={"displayModeBar": False}, key=f"{key}_bars")
        st.caption(_("IoU that is left when this alone is zero; shorter bars matter more."))


def _alone(study: Study, place: Place, truth: LabelMap | None) -> float:
    assert study.prediction is not None
    logits = changed_logits(study, WhatIf(Changes((Switch(*place),)), None))
    target = study.prediction.preds if truth is None else truth
    return overlap(prediction_from(study, logits).preds, target, len(study.entry.classes))[1]


def _bars(names: list[str], values: NDArray[np.float64], places: list[Place]) -> go.Figure:
    colours = ["#0072B2" if skip else "#E69F00" for _stage, skip in places]
    figure = go.Figure(
        go.Bar(x=values, y=names, orientation="h", marker_color=colours, hovertemplate="%{y}: %{x:.3f}<extra></extra>")
    )
    figure.update_layout(height=60 + 22 * len(names), margin={"l": 0, "r": 0, "t": 8, "b": 0}, showlegend=False)
    figure.update_xaxes(title="IoU", range=[0, 1])
    figure.update_yaxes(autorange="reversed")
    return figure

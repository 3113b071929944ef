"""Who is compared: two to six candidates as chips with settings of their own, ready-made line-ups, and adding one."""

from dataclasses import dataclass, replace

import streamlit as st

from segdemo.devices import PRECISIONS
from segdemo.errors import SettingError
from segdemo.evaluation.candidate import MAX_CANDIDATES, Candidate, entry_of, parse_candidate, parse_candidates
from segdemo.evaluation.titles import short_titles, title_of_candidate
from segdemo.inference import shared_engine
from segdemo.inference.settings import half_is_fast
from segdemo.models import TITLES, list_models
from segdemo.text import _
from segdemo.types import WeightsEntry
from segdemo.ui.compare_colours import colour_of_candidate
from segdemo.ui.compare_lineups import lineups
from segdemo.ui.frame import choose_weights, listed_weights
from segdemo.ui.url import DEFAULT_MODELS, FEWEST_MODELS
from segdemo.ui.words import plain
from segdemo.weights import get_weights, is_present

__all__ = ["chosen_candidates", "comparable_weights", "keep_candidates", "show_picker"]

ROUND_KEY, SEEN_KEY = "compare_round", "compare_seen"
SCALES = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0)
OTHER_THRESHOLDS = (0.3, 0.7, 0.1, 0.9, 0.2, 0.8)
OTHER_SCALES = (0.5, 2.0, 0.75, 1.5, 0.25, 4.0)


def chosen_candidates() -> tuple[Candidate, ...]:
    """Those of the session, or the default ones where weights have gone since."""
    try:
        return parse_candidates(str(st.session_state.get("models", DEFAULT_MODELS)).split(","))
    except SettingError:
        st.session_state["models"] = DEFAULT_MODELS
        return parse_candidates(DEFAULT_MODELS.split(","))


def keep_candidates(candidates: tuple[Candidate, ...]) -> None:
    """Put candidates into the session, and with it into the address."""
    st.session_state["models"] = ",".join(candidate.key for candidate in candidates)


@dataclass(frozen=True)
class _Round:
    """The candidates that the widgets were made with, and the numbers in the widgets' keys.

    A widget in a popover that was never opened is not in the browser yet: what is put into the session for it is sent
    once and lost, and it would show the start of its scale, and report that as the visitor's choice. Its value is
    therefore its default, which every run sends; and as that must not change under one key, there is a new key wherever
    something else than the widget itself changed its candidate. turn: stands in the popovers' keys, which close with it.
    """

    made_with: tuple[Candidate, ...]
    turn: int
    number: int


def _current_round(candidates: tuple[Candidate, ...]) -> _Round:
    """A new one where the line-up changed otherwise than by its widgets, or where the page was left in between."""
    state = st.session_state
    known: _Round | None = state.get(ROUND_KEY)
    mounted = known is not None and f"compare_weights_0_{known.number}" in state
    if known is None or not mounted or state.get(SEEN_KEY) != state.get("models"):
        known = _next_round(candidates, closing=True)
    return known


def _next_round(candidates: tuple[Candidate, ...], *, closing: bool) -> _Round:
    """Widgets that are made anew, with these candidates' values. closing: what is open closes."""
    before: _Round = st.session_state.get(ROUND_KEY) or _Round((), 0, 0)
    made = _Round(candidates, before.turn + closing, before.number + 1)
    st.session_state[ROUND_KEY], st.session_state[SEEN_KEY] = made, st.session_state.get("models")
    return made


def comparable_weights() -> list[WeightsEntry]:
    """Weights that label pixels and are on this machine."""
    return [entry for entry in listed_weights() if entry.task == "segment" and is_present(entry)]


def show_picker(candidates: tuple[Candidate, ...], domain: str) -> None:
    """A row of chips; each opens its settings. domain: "nuclei" or "shapes", whose line-ups are offered first."""
    titles, current = short_titles(candidates), _current_round(candidates)
    turn = current.turn
    st.html(_style(len(candidates)))
    with st.container(horizontal=True, gap="small", key="compare_picker"):
        for index, title in enumerate(titles):
            with st.popover(plain(title), key=f"candidate_{index}_{turn}", help=title_of_candidate(candidates[index])):
                _settings(candidates, index, current)
        full = len(candidates) >= MAX_CANDIDATES
        with st.popover(
            _("Add"), icon=":material/add:", key=f"candidate_add_{turn}", disabled=full,
            help=_("{n} at most: remove one first.", n=MAX_CANDIDATES) if full else _("Another network, or other weights."),
        ):  # fmt: skip
            _adding(candidates)
        with st.popover(
            _("Line-ups"), icon=":material/groups:", key=f"lineups_{turn}", help=_("Ready-made comparisons, one click.")
        ):
            for lineup in lineups(domain):
                st.button(
                    lineup.title, help=lineup.hint, key=f"lineup_{lineup.key}", width="stretch", on_click=keep_candidates,
                    args=(parse_candidates(list(lineup.models)),),
                )  # fmt: skip


def _style(count: int) -> str:
    """A stripe of the candidate's colour on its chip."""
    rules = (
        f'[class*="st-key-candidate_{i}_"] button {{ border-left: 6px solid {colour_of_candidate(i)}; }}' for i in range(count)
    )  # fmt: skip
    return f"<style>{' '.join(rules)}</style>"


def _settings(candidates: tuple[Candidate, ...], index: int, current: _Round) -> None:
    candidate, made, place = candidates[index], current.made_with[index], f"{index}_{current.number}"
    listed = {e.weights_id: e for e in [*comparable_weights(), entry_of(made)]}
    st.selectbox(
        _("Weights"), list(listed), index=list(listed).index(made.weights_id), key=f"compare_weights_{place}",
        format_func=lambda i: _weights_title(listed[i]), on_change=_changed, args=(index, place, "weights_id"),
        help=_("Another network in this place."),
    )  # fmt: skip
    if entry_of(candidate).binary:
        st.slider(
            _("Threshold"), 0, 100, round(100 * made.threshold), format="%d %%", key=f"compare_threshold_{place}",
            on_change=_changed, args=(index, place, "threshold"),
            help=_("From which probability on a pixel counts as foreground. Lower finds more, higher is surer."),
        )  # fmt: skip
    st.select_slider(
        _("Input scale"), sorted({*SCALES, made.scale}), made.scale, key=f"compare_scale_{place}",
        format_func=lambda s: f"{s:g} ×", on_change=_changed, args=(index, place, "scale"),
        help=_("How much larger or smaller than usual the network is given the picture. What it finds is shown at its own size."),
    )  # fmt: skip
    offered = [p for p in PRECISIONS if p != "bfloat16" or half_is_fast(shared_engine().device) or p == made.precision]
    st.segmented_control(
        _("Precision"), offered, default=made.precision, key=f"compare_precision_{place}", required=True, on_change=_changed,
        args=(index, place, "precision"), format_func=lambda p: _("automatic") if p == "auto" else p,
        help=_("In which numbers it computes. Automatic is the fastest whose labels agree with float32."),
    )  # fmt: skip
    with st.container(horizontal=True):
        st.button(
            _("Duplicate"), icon=":material/content_copy:", key=f"compare_duplicate_{place}", on_click=_duplicate, args=(index,),
            disabled=len(candidates) >= MAX_CANDIDATES, help=_("The same weights at another setting, after the others."),
        )  # fmt: skip
        st.button(
            _("Remove"), icon=":material/close:", key=f"compare_remove_{place}", on_click=_remove, args=(index,),
            disabled=len(candidates) <= FEWEST_MODELS,
            help=_("A comparison needs two.") if len(candidates) <= FEWEST_MODELS else _("Take it out of the comparison."),
        )  # fmt: skip
    st.button(
        _("Use on all pages"), icon=":material/push_pin:", key=f"compare_use_{place}", width="stretch", type="tertiary",
        on_click=_use, args=(candidate.weights_id,), help=_("Put these weights into the sidebar of the other pages."),
    )  # fmt: skip


def _use(weights_id: str) -> None:
    choose_weights(weights_id)
    title = _weights_title(get_weights(weights_id))
    st.toast(_("The other pages now use {name}.", name=plain(title, 80)), icon=":material/push_pin:")


def _weights_title(entry: WeightsEntry) -> str:
    return f"{TITLES.get(entry.model, entry.model)} · {_(entry.title)}"


def _changed(index: int, place: str, field: str) -> None:
    """Take one widget's value over, and nothing else; what is there already would only be shown twice."""
    candidates = chosen_candidates()
    names = {"weights_id": "weights", "threshold": "threshold", "scale": "scale", "precision": "precision"}
    value = st.session_state[f"compare_{names[field]}_{place}"]
    changed = replace(candidates[index], **{field: value / 100 if field == "threshold" else value})
    if field == "weights_id" and not get_weights(changed.weights_id).binary:
        changed = replace(changed, threshold=0.5)
    refused = changed in candidates
    if refused and changed != candidates[index]:
        st.toast(_("This one is there already, with the same settings."), icon=":material/info:")
    if not refused:
        candidates = (*candidates[:index], changed, *candidates[index + 1 :])
        keep_candidates(candidates)
    if refused or field == "weights_id":  # other weights can have another set of widgets
        _next_round(candidates, closing=False)
    st.session_state[SEEN_KEY] = st.session_state["models"]  # the popover stays open


def _duplicate(index: int) -> None:
    """The same weights once more, at the end so that nobody's colour changes, at the first setting that is not there yet."""
    candidates = chosen_candidates()
    own = candidates[index]
    others = [replace(own, threshold=value) for value in OTHER_THRESHOLDS] if entry_of(own).binary else []
    others += [replace(own, scale=value) for value in OTHER_SCALES]
    new = next(other for other in others if other not in candidates)
    if len(candidates) < MAX_CANDIDATES:
        keep_candidates((*candidates, new))
        st.toast(
            _("The copy has threshold {value}, so that the two differ.", value=f"{new.threshold:g}")
            if new.threshold != own.threshold
            else _("The copy has input scale {value}, so that the two differ.", value=f"{new.scale:g}"),
            icon=":material/content_copy:",
        )  # fmt: skip


def _remove(index: int) -> None:
    candidates = chosen_candidates()
    if len(candidates) > FEWEST_MODELS:
        keep_candidates((*candidates[:index], *candidates[index + 1 :]))


def _adding(candidates: tuple[Candidate, ...]) -> None:
    """Architecture, then its weights, then one click."""
    entries = comparable_weights()
    models = [name for name in list_models() if any(entry.model == name for entry in entries)]
    model = st.selectbox(
        _("Architecture"), models, key="compare_add_model", format_func=lambda name: TITLES[name],
        help=_("The kind of network."),
    )  # fmt: skip
    listed = {entry.weights_id: entry for entry in entries if entry.model == model}
    chosen = st.selectbox(
        _("Weights"), list(listed), key=f"compare_add_weights_{model}", format_func=lambda i: _(listed[i].title),
        help=_("What it has learned, from which pictures."),
    )  # fmt: skip
    new = parse_candidate(chosen)
    there = new in candidates
    st.button(
        _("Add to the comparison"), key="compare_add", type="primary", disabled=there, width="stretch", on_click=_add,
        args=(new,), help=_("It is there already. Duplicate it to compare settings.") if there else None,
    )  # fmt: skip
    st.caption(
        _("More networks, and your own checkpoints, on the Weights page: what is fetched or imported there is listed here.")
    )


def _add(new: Candidate) -> None:
    candidates = chosen_candidates()
    if new not in candidates and len(candidates) < MAX_CANDIDATES:
        keep_candidates((*candidates, new))

"""A second network that walks the same picture: untrained, or another one; stages are linked by name, or by their place."""

import streamlit as st

from segdemo.models import TITLES, list_models
from segdemo.text import _
from segdemo.types import WeightsEntry
from segdemo.ui.frame import listed_weights
from segdemo.ui.study import Study
from segdemo.weights import get_network, is_ready, untrained
from segdemo.weights.untrained import UNTRAINED

__all__ = ["matching_stage", "network_title", "second_network"]


def network_title(name: str) -> str:
    """A network as it is called on the page."""
    entry = get_network(name)
    return f"{TITLES[entry.model]} · {_(entry.title)}"


def second_network(entry: WeightsEntry) -> None:
    """The picker. What can be chosen: the same network untrained, all weights that are here, all architectures untrained."""
    own = untrained(entry).weights_id
    ready = [e.weights_id for e in listed_weights() if is_ready(e) and e.weights_id != entry.weights_id]
    bare = [f"{name}{UNTRAINED}" for name in list_models()]
    options = list(dict.fromkeys(["", own, *ready, *bare]))
    chosen = st.session_state.get("second") or ""
    if chosen == entry.weights_id:
        st.session_state["second"] = ""
    elif chosen not in options:
        options.append(chosen)
    st.selectbox(
        _("Beside it"), options, key="second", persist_state="session",
        format_func=lambda name: _title(name, own), label_visibility="collapsed", width=300,
        help=_("A second network that walks the same picture: this one before its training, or another."),
    )  # fmt: skip


def _title(name: str, own: str) -> str:
    if not name:
        return _("Compare with another network …")
    if name == own:
        return _("beside it: the same, untrained")
    return _("beside it: {network}", network=network_title(name))


def matching_stage(study: Study, name: str, first: Study) -> str:
    """The stage of a second network that belongs to one of the first: of that name, or of its kind at about its place."""
    if name in study.stages:
        return name
    kind = first.anatomy.part(name).stage.kind
    same_kind = [n for n in study.stages if study.anatomy.part(n).stage.kind == kind] or study.stages
    ours = [n for n in first.stages if first.anatomy.part(n).stage.kind == kind]
    share = ours.index(name) / max(1, len(ours) - 1)
    return same_kind[round(share * (len(same_kind) - 1))]

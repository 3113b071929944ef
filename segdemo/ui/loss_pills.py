"""Pills to choose losses with, each with the dot of its colour: legend and control in one."""

from collections.abc import Sequence

import streamlit as st

from segdemo.ui.loss_colours import colour_of, title_of

__all__ = ["loss_pills"]


def loss_pills(label: str, names: Sequence[str], default: Sequence[str], key: str, help: str) -> list[str]:
    """The chosen losses, in the order of `names`. `key` names the widget, whose choice stays when pages change."""
    kept = st.session_state.get(key, default)
    st.session_state[key] = [name for name in names if name in kept]
    chosen = st.pills(
        label, list(names), selection_mode="multi", key=key, persist_state="session", format_func=title_of, help=help,
        label_visibility="collapsed",
    )  # fmt: skip
    st.html(_dots(key, names))
    return [name for name in names if name in chosen]


def _dots(key: str, names: Sequence[str]) -> str:
    dot = 'content: ""; width: .7em; height: .7em; border-radius: 50%; margin-right: .4em; flex: none;'
    rules = [
        f".st-key-{key} button:nth-of-type({place})::before {{ {dot} background: {colour_of(name)}; }}"
        for place, name in enumerate(names, start=1)
    ]
    return f"<style>{' '.join(rules)}</style>"

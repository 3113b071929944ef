"""What a loss is: its formula, its meaning, the paper and our own source. Folded under every view of the Losses page."""

import inspect
from collections.abc import Sequence

import streamlit as st

from segdemo.losses import FACTS, LOSSES, LossOption
from segdemo.text import _
from segdemo.ui.loss_colours import title_of

__all__ = ["explain"]


def explain(names: Sequence[str]) -> None:
    """An expander about the losses of these names, one at a time. Nothing of it is made before it is opened."""
    if not names:
        return
    with st.expander(
        _("Formula, meaning, paper and source"), icon=":material/menu_book:", key="explained", on_change="rerun"
    ) as opened:
        if opened.open:
            _tell(_chosen(list(dict.fromkeys(names))))


def _chosen(names: list[str]) -> str:
    if st.session_state.get("explained_loss") not in names:
        st.session_state["explained_loss"] = names[0]
    if len(names) == 1:
        return names[0]
    chosen = st.segmented_control(
        _("Loss"), names, key="explained_loss", format_func=title_of, required=True, label_visibility="collapsed"
    )
    return str(chosen)


def _tell(name: str) -> None:
    facts = FACTS[name]
    left, right = st.columns([5, 6], gap="large")
    with left:
        st.markdown(f"#### {title_of(name)}")
        st.latex(facts.formula)
        if facts.formula_several:
            st.caption(_("With several logits a pixel:"))
            st.latex(facts.formula_several)
        st.caption(f"[{facts.paper}]({facts.url})" if facts.url else facts.paper)
    with right:
        st.markdown(f"{_(facts.meaning)} {_(facts.empty)}")
        if facts.options:
            st.markdown("\n".join(f"- `{option.name}` ({_default(option)}): {_(option.meaning)}" for option in facts.options))
    _source(name)


def _default(option: LossOption) -> str:
    if option.default is None:
        return _("chosen by the loss")
    return f"{option.default:g}" if isinstance(option.default, float) else str(option.default)


def _source(name: str) -> None:
    function = LOSSES[name]
    module = inspect.getmodule(function)
    if module is None:
        return
    st.caption(_("`{path}`, as it runs here", path=module.__name__.replace(".", "/") + ".py"))
    whole = st.toggle(_("The whole file"), key="explained_whole", help=_("With what the function calls, below and above it."))
    st.code(inspect.getsource(module if whole else function), language="python", height=480 if whole else "content")

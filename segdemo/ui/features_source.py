"""The few lines of ours that produce what is on the screen, shown as they are."""

import inspect
from collections.abc import Callable

import streamlit as st

from segdemo.features.ablation import run_changed
from segdemo.features.cam import grad_cam, saliency
from segdemo.features.effective_field import effective_field
from segdemo.features.gate import inspect_gate
from segdemo.features.projection import fit_basis, project
from segdemo.features.readout import ridge
from segdemo.features.record import on_stages, record
from segdemo.features.timelapse import frames
from segdemo.text import _

__all__ = ["show_source"]

# Of each view, the functions that a reader would look for, in the order in which they are called.
SHOWN: dict[str, tuple[Callable[..., object], ...]] = {
    "channels": (record, on_stages, fit_basis, project),
    "probe": (effective_field,),
    "whatif": (run_changed,),
    "why": (grad_cam, saliency),
    "time": (frames, ridge),
    "gate": (inspect_gate,),
}


def show_source(lens: str) -> None:
    """The source of the lens, folded away."""
    with st.expander(_("The code behind this"), icon=":material/code:", key=f"source_{lens}", on_change="rerun") as opened:
        if not opened.open:
            return
        st.caption(_("Taken from segdemo's own files as they run."))
        for function in SHOWN[lens]:
            module = inspect.getmodule(function)
            st.caption(f"`{module.__name__.replace('.', '/')}.py`" if module else "")
            st.code(inspect.getsource(function), language="python")

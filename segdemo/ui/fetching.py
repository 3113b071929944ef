"""Weights that have to be downloaded once: what they are, one button, a progress bar, and a sentence if it fails."""

import streamlit as st

from segdemo.errors import DownloadError
from segdemo.models import TITLES
from segdemo.text import _
from segdemo.types import WeightsEntry
from segdemo.weights import fetch

__all__ = ["fetch_button", "offer_download"]


def offer_download(entry: WeightsEntry) -> None:
    """Shown in place of a result while the weights are not on this machine."""
    with st.container(border=True, key=f"offer_{entry.weights_id.replace('/', '_')}"):
        st.markdown(f"**{TITLES[entry.model]}, {_(entry.title)}** · {_(entry.trained_on)}.")
        st.caption(
            _(
                "These weights are not on this machine yet. They are fetched once ({mb:.0f} MB) and kept.",
                mb=entry.size_bytes / 1e6,
            )
        )
        fetch_button(entry)


def fetch_button(entry: WeightsEntry) -> None:
    """One click that fetches, with a progress bar; the page runs anew when the weights are here."""
    label = _("Fetch these weights, {mb:.0f} MB", mb=entry.size_bytes / 1e6)
    if st.button(label, key=f"fetch_{entry.weights_id}", icon=":material/cloud_download:", type="primary"):
        _fetch(entry)


def _fetch(entry: WeightsEntry) -> None:
    bar = st.progress(0.0, _("Connecting …"))

    def show(done: int, total: int) -> None:
        share = min(1.0, done / total) if total else 0.0
        bar.progress(share, _("{done:.0f} of {total:.0f} MB", done=done / 1e6, total=total / 1e6))

    try:
        fetch(entry, show)
    except DownloadError as error:
        bar.empty()
        st.error(str(error), icon=":material/cloud_off:")
        return
    st.rerun()

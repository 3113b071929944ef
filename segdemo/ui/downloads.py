"""The download menu. Files are made when they are asked for, not on every redraw."""

from functools import partial

import streamlit as st

from segdemo.inference.export import (
    Result,
    file_stem,
    label_png,
    overlay_png,
    probabilities_npz,
    results_zip,
    summary_json,
)
from segdemo.text import _
from segdemo.ui.controls import View

__all__ = ["download_menu"]


@st.fragment
def download_menu(results: list[Result], view: View) -> None:
    """Files of the first result, and of all of them as one ZIP."""
    shown = results[0]
    stem = file_stem(shown.picture.name)
    files = [
        (_("Label map (PNG)"), partial(label_png, shown.prediction), f"{stem}-labels.png", "image/png", _("Indexed: each pixel is its class number.")),
        (_("Overlay (PNG)"), partial(overlay_png, shown, view.opacity, view.contour), f"{stem}-overlay.png", "image/png", _("The picture with the classes over it.")),
        (_("Probabilities (NPZ)"), partial(probabilities_npz, shown.prediction), f"{stem}-probabilities.npz", "application/octet-stream", _("For numpy: one plane a class, at the size the network saw.")),
        (_("Summary (JSON)"), partial(summary_json, shown), f"{stem}.json", "application/json", _("Classes, areas, objects, settings, times.")),
    ]  # fmt: skip
    if len(results) > 1:
        make = partial(results_zip, results, view.opacity, view.contour)
        files.append((_("All {n} pictures (ZIP)", n=len(results)), make, "segdemo-results.zip", "application/zip", _("Label map, overlay and summary of each.")))
    with st.popover(_("Download"), icon=":material/download:", width="stretch", key="downloads"):
        for number, (label, data, name, mime, tip) in enumerate(files):
            st.download_button(label, data, name, mime, key=f"download_{number}", help=tip, on_click="ignore", width="stretch")

"""The download menu. Files are made when they are asked for, not on every redraw."""

from collections.abc import Callable
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Download:
    """One entry of the menu; `make` is called when it is clicked."""

    label: str
    make: Callable[[], str | bytes]
    name: str
    mime: str
    tip: str


def _downloads(results: list[Result], view: View) -> list[Download]:
    shown = results[0]
    stem = file_stem(shown.picture.name)
    look = (view.opacity, view.contour)
    files = [
        Download(_("Label map (PNG)"), partial(label_png, shown.prediction), f"{stem}-labels.png", "image/png",
                 _("Indexed: each pixel is its class number.")),
        Download(_("Overlay (PNG)"), partial(overlay_png, shown, *look), f"{stem}-overlay.png", "image/png",
                 _("The picture with the classes over it.")),
        Download(_("Probabilities (NPZ)"), partial(probabilities_npz, shown.prediction), f"{stem}-probabilities.npz",
                 "application/octet-stream", _("For numpy: one plane a class, at the size the network saw.")),
        Download(_("Summary (JSON)"), partial(summary_json, shown), f"{stem}.json", "application/json",
                 _("Classes, areas, objects, settings, times.")),
    ]  # fmt: skip
    if len(results) > 1:
        tip = _("Label map, overlay and summary of each.")
        every = partial(results_zip, results, *look)
        files.append(Download(_("All {n} pictures (ZIP)", n=len(results)), every, "segdemo-results.zip", "application/zip", tip))
    return files


@st.fragment
def download_menu(results: list[Result], view: View) -> None:
    """Files of the first result, and of all of them as one ZIP."""
    with st.popover(_("Download"), icon=":material/download:", width="stretch", key="downloads"):
        for number, file in enumerate(_downloads(results, view)):
            st.download_button(
                file.label, file.make, file.name, file.mime,
                key=f"download_{number}", help=file.tip, on_click="ignore", width="stretch",
            )  # fmt: skip

"""The download menu. Files are made when they are asked for, not on every redraw."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import streamlit as st

from segdemo.errors import SegdemoError
from segdemo.inference import shared_engine
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
from segdemo.types import WeightsEntry
from segdemo.ui.controls import View
from segdemo.ui.state import Choice, open_choice

__all__ = ["download_menu"]


@dataclass(frozen=True)
class Download:
    """One entry of the menu; `make` is called when it is clicked."""

    label: str
    make: Callable[[], str | bytes]
    name: str
    mime: str
    tip: str


def _downloads(shown: Result, available: list[Choice], entry: WeightsEntry, view: View) -> list[Download]:
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
    if len(available) > 1:
        make = partial(_zip, available, entry.weights_id, view)
        tip = _("Label map, overlay and summary of each.")
        label = _("All {n} pictures (ZIP)", n=len(available))
        files.append(Download(label, make, "segdemo-results.zip", "application/zip", tip))
    return files


def _zip(available: list[Choice], weights_id: str, view: View) -> bytes:
    """All results, asked for one by one when the button is clicked, so that none is held in memory for it."""
    return results_zip(_results(available, weights_id, view.threshold), view.opacity, view.contour)


def _results(available: list[Choice], weights_id: str, threshold: float) -> Iterator[Result]:
    for choice in available:
        try:
            picture = open_choice(choice)
            yield Result(picture, shared_engine().segment(picture, weights_id, threshold=threshold))
        except SegdemoError:
            continue  # the page names it


def download_menu(shown: Result, available: list[Choice], entry: WeightsEntry, view: View) -> None:
    """Files of the result on screen, and of all pictures as one ZIP."""
    with st.popover(_("Download"), icon=":material/download:", width="stretch", key="downloads"):
        for number, file in enumerate(_downloads(shown, available, entry, view)):
            st.download_button(
                file.label, file.make, file.name, file.mime,
                key=f"download_{number}", help=file.tip, on_click="ignore", width="stretch",
            )  # fmt: skip

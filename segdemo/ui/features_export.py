"""Files of what is on the screen: a stage's activations, its mosaic, and the whole walk as a page for a lecture."""

import inspect
import io
from collections.abc import Callable
from functools import partial

import numpy as np
import streamlit as st

from segdemo.features import draw_mosaic
from segdemo.features.record import on_stages, record
from segdemo.inference.export import file_stem
from segdemo.text import _
from segdemo.ui.features_parts import CLIP
from segdemo.ui.lecture import lecture_html
from segdemo.ui.study import Study

__all__ = ["activations_npz", "export_menu"]


def export_menu(study: Study, stage: str) -> None:
    """Each file is made when it is asked for."""
    stem = f"{file_stem(study.picture.name)}-{study.entry.weights_id.replace('/', '-')}"
    source = inspect.getsource(record) + "\n\n" + inspect.getsource(on_stages)
    files: tuple[tuple[str, Callable[[], str | bytes], str, str, str], ...] = (
        (_("Activations of {stage} (NPZ)", stage=stage), partial(activations_npz, study, stage), f"{stem}-{stage}.npz",
         "application/octet-stream", _("For numpy: the map, float32, and where it lies in the picture.")),
        (_("Mosaic of {stage} (PNG)", stage=stage), lambda: draw_mosaic(study.recording.maps[stage], clip=CLIP).png,
         f"{stem}-{stage}.png", "image/png", _("All channels, colours over the range of this stage.")),
        (_("The walk for a lecture (HTML)"), partial(lecture_html, study, source), f"{stem}-walk.html", "text/html",
         _("One file with every stage, to be opened anywhere, without network.")),
    )  # fmt: skip
    with st.popover(_("Export"), icon=":material/download:", key="feature_exports"):
        for place, (label, make, name, mime, tip) in enumerate(files):
            st.download_button(
                label, make, name, mime, key=f"feature_export_{place}", help=tip, on_click="ignore", width="stretch"
            )  # fmt: skip


def activations_npz(study: Study, stage: str) -> bytes:
    """`activation` (C, h, w) float32; `input` (C, H, W) as the network was given it; `extent` (top, left, bottom, right), the
    part of the input that the map covers, in pixels; `stage` and `weights` by name."""
    extent, buffer = study.places[stage].extent, io.BytesIO()
    np.savez_compressed(
        buffer, activation=study.recording.maps[stage].numpy(), input=study.recording.input[0].numpy(),
        extent=np.array([extent.top, extent.left, extent.bottom, extent.right]), stage=stage, weights=study.entry.weights_id,
    )  # fmt: skip
    return buffer.getvalue()

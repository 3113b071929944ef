"""The before/after viewer: what its component is given, and one quiet line about what the result cost."""

from time import perf_counter

import streamlit as st

from segdemo.inference.agreement import ERROR_KINDS, error_map
from segdemo.inference.export import Result
from segdemo.metrics import class_shares
from segdemo.text import _
from segdemo.types import ClassInfo, LabelMap
from segdemo.ui.components import picture_viewer
from segdemo.ui.controls import View
from segdemo.ui.drawing import encode_labels, encode_photograph, encode_probabilities
from segdemo.ui.media import media_url
from segdemo.ui.words import percent

__all__ = ["show_viewer"]


def show_viewer(result: Result, truth: LabelMap | None, view: View) -> None:
    """The viewer, notices about the result, and times in milliseconds."""
    start = perf_counter()
    prediction, picture = result.prediction, result.picture
    labels, classes, errors = prediction.preds, prediction.classes, False
    if view.errors and truth is not None:
        labels, classes, errors = error_map(prediction, truth), ERROR_KINDS, True
    photograph, label_picture = encode_photograph(picture.pixels, picture.full_size), encode_labels(labels)
    probabilities = encode_probabilities(prediction)
    legend, covered = _legend(labels, classes)
    picture_viewer(key="viewer", data={
        "image": media_url(photograph.data, photograph.mime),
        "labels": media_url(label_picture.data, label_picture.mime),
        "probs": None if errors else media_url(probabilities.data, probabilities.mime),
        "binary": prediction.binary, "errors": errors, "contour": view.contour, "opacity": view.opacity,
        "fullWidth": prediction.size[1], "fullHeight": prediction.size[0], "classes": legend,
        "alt": _("{name}, segmented: {covered}.", name=picture.name, covered=covered),
        "words": _words(errors),
    })  # fmt: skip
    drawn_ms = 1000 * (perf_counter() - start)
    for notice in (*picture.notices, *prediction.notices):
        st.caption(f":material/info: {notice.text}")
    _cost_line(result, drawn_ms)


def _legend(labels: LabelMap, classes: tuple[ClassInfo, ...]) -> tuple[list[dict[str, object]], str]:
    """Entries for all classes (the ones that occur are shown), and a sentence's worth of them for the alt text."""
    shares = class_shares(labels, len(classes))
    named = [(_(info.name), info.color, float(share)) for info, share in zip(classes, shares, strict=True)]
    entries: list[dict[str, object]] = [
        {"name": name, "color": color, "shown": share > 0, "share": percent(share)} for name, color, share in named
    ]
    return entries, ", ".join(f"{name} {percent(share)}" for name, _color, share in named if share > 0)


def _words(errors: bool) -> dict[str, str]:
    return {
        "before": _("Picture"),
        "after": _("Errors") if errors else _("Segmentation"),
        "divider": _("Divider between picture and segmentation"),
        "legend": _("Classes"),
        "isolate": _("Hover to see this class alone, click to keep it"),
        "failed": _("The segmentation could not be loaded. Reload the page to try again."),
    }


def _cost_line(result: Result, drawn_ms: float) -> None:
    """Times of when this picture was first segmented; what is remembered costs only the drawing."""
    latency, prediction, decode_ms = result.prediction.latency, result.prediction, result.picture.decode_ms
    rest = decode_ms + latency.preprocess_ms + latency.postprocess_ms + drawn_ms
    shown = _("Network **{network:.0f} ms**, everything else {rest:.0f} ms · {device}, {precision} · {w} × {h} px",
              network=latency.forward_ms, rest=rest, device=prediction.device.upper(), precision=prediction.precision,
              w=prediction.size[1], h=prediction.size[0])  # fmt: skip
    details = _("Decoding {decode:.1f} ms, preparing {prepare:.1f} ms, labels {labels:.1f} ms, drawing {drawing:.1f} ms. "
                "Measured when the picture was first segmented; afterwards only the drawing is done again.",
                decode=decode_ms, prepare=latency.preprocess_ms, labels=latency.postprocess_ms, drawing=drawn_ms)  # fmt: skip
    st.caption(shown, help=details)

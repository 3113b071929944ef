"""Time-lapse: the mask growing sharp, from the coarsest reading that the network allows to its own last word."""

import numpy as np
import streamlit as st

from segdemo.data.preprocessing import from_output
from segdemo.features import Frame, frames
from segdemo.inference import shared_engine
from segdemo.inference.agreement import overlap
from segdemo.inference.cache import BoundedCache
from segdemo.inference.labels import labels_of
from segdemo.text import _
from segdemo.types import LabelMap
from segdemo.ui.components import frame_player
from segdemo.ui.drawing import encode_labels, encode_photograph
from segdemo.ui.media import media_url
from segdemo.ui.study import Study
from segdemo.ui.words import percent

__all__ = ["show_time_lapse"]

FRAME_MEMORY_BYTES = 120_000_000

_frames: BoundedCache[tuple[object, ...], list[Frame]] = BoundedCache(
    FRAME_MEMORY_BYTES, lambda found: sum(frame.probabilities.numel() * 4 for frame in found)
)


def show_time_lapse(study: Study, truth: LabelMap | None, key: str) -> None:
    """The player, its frames scored against the exact mask, or against the last frame."""
    if study.prediction is None:
        st.info(_("This network labels no pixels, so there is no mask that grows."), icon=":material/info:")
        return
    with st.spinner(_("Reading the stages …"), show_time=True):
        found = _frames.get_or_make(study.key, lambda: shared_engine().study(
            study.entry.weights_id,
            lambda m: frames(m, study.recording.input, study.recording, placed=study.places),
        ))  # fmt: skip
    labels = [_labels(study, frame) for frame in found]
    target = labels[-1] if truth is None else truth
    scores = [overlap(shown, target, len(study.entry.classes))[1] for shown in labels]
    photograph = encode_photograph(study.seen, (study.seen.shape[0], study.seen.shape[1]))
    frame_player(key=key, data={
        "label": _("The mask growing sharp"), "image": media_url(photograph.data, photograph.mime),
        "width": study.seen.shape[1], "height": study.seen.shape[0], "opacity": 0.55,
        "classes": [{"name": _(info.name), "color": info.color} for info in study.entry.classes],
        "frames": [_item(*item, truth is not None) for item in zip(found, labels, scores, strict=True)],
        "words": {
            "play": _("Play"), "pause": _("Pause"), "previous": _("Previous frame"), "next": _("Next frame"),
            "slider": _("Frame"), "score": "IoU", "failed": _("The frames could not be loaded. Reload the page to try again."),
        },
    })  # fmt: skip
    exact, own = _("IoU against the exact mask."), _("IoU against the last frame, the network's own mask.")
    st.caption(f"{_how(found)} {own if truth is None else exact}")


def _labels(study: Study, frame: Frame) -> LabelMap:
    scores = from_output(frame.probabilities, study.geometry).numpy()
    return labels_of(scores, study.entry.binary, 0.5)


def _item(frame: Frame, labels: LabelMap, score: float, exact: bool) -> dict[str, object]:
    encoded = encode_labels(labels)
    words = {"head": _("its own head"), "score": _("scores so far"), "readout": _("linear read-out")}
    parts = [] if np.isnan(score) else [f"IoU {score:.3f}"]
    if frame.how == "readout" and frame.explained is not None:
        parts.append(_("explains {share} of the final logits", share=percent(max(0.0, frame.explained))))
    return {
        "title": frame.name, "labels": media_url(encoded.data, encoded.mime), "note": " · ".join(parts), "how": words[frame.how],
        "score": None if np.isnan(score) else score,
    }  # fmt: skip


def _how(found: list[Frame]) -> str:
    """How the frames were read, in words."""
    kinds = {frame.how for frame in found[:-1]}
    if "score" in kinds:
        return _("Each frame adds the scores of a finer pooling to those before it.")
    if "head" in kinds:
        return _("Each frame is a head of the network's own, trained together with the last one.")
    return _("This network has one head. Earlier stages are read by a linear read-out (a 1×1 convolution) that was fitted to "
             "the network's own answer on this picture: it shows what the stage already knows.")  # fmt: skip

"""U-Net 3+'s gate: whether the classifier believes that there is anything to find, and what it does to the mask."""

import numpy as np
import streamlit as st

from segdemo.data import Picture
from segdemo.data.preprocessing import from_output
from segdemo.data.samples import get_sample
from segdemo.features import Gate, inspect_gate
from segdemo.inference import shared_engine
from segdemo.inference.cache import BoundedCache
from segdemo.inference.labels import labels_of
from segdemo.text import _
from segdemo.types import WeightsEntry
from segdemo.ui.features_parts import masked, show_picture
from segdemo.ui.frame import choose_weights
from segdemo.ui.state import open_sample
from segdemo.ui.study import Study, study_of
from segdemo.ui.words import percent

__all__ = ["GATED", "has_gate", "show_gate"]

GATED = "unet3_plus/nuclei-gated"
WITH, WITHOUT = "nuclei-fluorescence", "shapes-dense"

_gates: BoundedCache[tuple[object, ...], Gate] = BoundedCache(
    60_000_000, lambda gate: 4 * (gate.before.numel() + gate.after.numel())
)


def has_gate(entry: WeightsEntry) -> bool:
    """Whether the network has a classifier that damps its segmentation."""
    return bool(entry.options.get("classification_guided"))


def show_gate(study: Study, key: str) -> None:
    """The chosen picture beside one that holds nuclei and one that holds none, whichever it is not."""
    if not has_gate(study.entry):
        st.info(_("These weights were trained without the gate: a classifier at the bottleneck that says whether there is "
                  "anything to find."), icon=":material/info:")  # fmt: skip
        st.button(_("Open those with a gate"), on_click=choose_weights, args=(GATED,), key=f"{key}_open", type="primary")
        return
    st.markdown(
        _("**The gate** looks at the bottleneck and judges the whole picture; its probability multiplies the probability of "
          "every pixel. It exists to silence false finds where there is nothing to find.")
    )  # fmt: skip
    shown: list[tuple[Picture, Study]] = [(study.picture, study)]
    for name in (WITH, WITHOUT):
        picture = open_sample(get_sample(name))
        if picture.sha256 != study.picture.sha256:
            shown.append((picture, study_of(picture, study.entry.weights_id)))
    for column, (picture, one) in zip(st.columns(len(shown), gap="medium"), shown, strict=True):
        with column:
            _gate_of(picture, one)


def _gate_of(picture: Picture, study: Study) -> None:
    gate = _gates.get_or_make(study.key, lambda: _looked_at(study))
    st.markdown(f"**{picture.name}**")
    for number, info in enumerate(study.entry.classes[1:]):
        present = float(gate.presence[number])
        st.progress(present, _("{name} present: {share}", name=_(info.name), share=percent(present)))
    masks = ((_("Before the gate"), gate.before), (_("After the gate"), gate.after))
    for column, (title, probabilities) in zip(st.columns(2, gap="small"), masks, strict=True):
        labels = labels_of(from_output(probabilities, study.geometry).numpy(), study.entry.binary, 0.5)
        with column:
            show_picture(masked(study.seen, labels, study.entry.classes), title, smooth=True)
            st.caption(_("{title}: {share} foreground", title=title, share=percent(float(np.mean(labels > 0)))))


def _looked_at(study: Study) -> Gate:
    gate = shared_engine().study(study.entry.weights_id, lambda m: inspect_gate(m, study.recording.input))
    assert gate is not None
    return gate

"""What a visitor has chosen: the pictures, the one on screen, and the weights. Kept in the session, checked on reading."""

import hashlib
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from segdemo.data import Picture, open_picture, read_labels
from segdemo.data.samples import Sample, get_sample
from segdemo.errors import ImageError
from segdemo.inference.agreement import check_target
from segdemo.text import _
from segdemo.types import LabelMap, Prediction, WeightsEntry
from segdemo.weights import get_weights

__all__ = [
    "Choice", "activate", "active_choice", "choices", "chosen_sample", "chosen_weights", "open_choice",
    "truth_for",
]  # fmt: skip

ACTIVE_KEY = "active_picture"
DECODE_REDUCED_TO = 2_100_000  # pixels; what networks and the screen can use of a photograph


@dataclass(frozen=True)
class Choice:
    """A picture the visitor can look at: a sample or an upload. `key` is "sample" or the upload's id."""

    key: str
    name: str
    data: bytes
    sample: Sample | None = None

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


@st.cache_data(max_entries=64, show_spinner=False)
def _picture(sha256: str, name: str, _data: bytes) -> Picture:
    """Decoded once for all visitors who have the same file; keyed by the hash of its bytes, never by pixels."""
    return open_picture(_data, name, reduce_to=DECODE_REDUCED_TO)


def open_choice(choice: Choice) -> Picture:
    """The decoded picture. Raises ImageError with a sentence."""
    return _picture(choice.sha256, choice.name, choice.data)


@st.cache_data(max_entries=32, show_spinner=False)
def _sample_data(key: str) -> tuple[bytes, LabelMap | None]:
    return get_sample(key).load()


def chosen_sample() -> Sample:
    """The sample in the picker."""
    return get_sample(st.session_state["sample"])


def choices() -> list[Choice]:
    """The chosen sample, then the uploads in the order they came."""
    sample = chosen_sample()
    found = [Choice("sample", sample.title, _sample_data(sample.key)[0], sample)]
    for upload in st.session_state.get("uploads") or []:
        found.append(Choice(upload.file_id, upload.name, upload.getvalue()))
    if (photo := st.session_state.get("camera")) is not None:
        found.append(Choice(photo.file_id, _("Camera"), photo.getvalue()))
    return found


def active_choice(available: list[Choice]) -> Choice:
    """The picture on screen: the one chosen last, if it is still there."""
    key = st.session_state.get(ACTIVE_KEY)
    return next((c for c in available if c.key == key), available[0])


def activate(key: str) -> None:
    """Put a picture on screen."""
    st.session_state[ACTIVE_KEY] = key


def truth_for(choice: Choice, prediction: Prediction, place: DeltaGenerator) -> LabelMap | None:
    """The exact mask of a picture, if there is one that this network's classes can be held against.

    A sample's mask counts where the network has the classes it was drawn with. What is wrong with a visitor's mask is
    said in `place`.
    """
    if choice.sample is not None:
        truth = _sample_data(choice.sample.key)[1]
        fits = truth is not None and get_weights(choice.sample.suggested).classes == prediction.classes
        return truth if fits else None
    mask = st.session_state.get(f"mask_{choice.key}")
    if mask is None:
        return None
    try:
        truth = read_labels(mask.getvalue())
        check_target(prediction, truth)
    except ImageError as error:
        place.error(f"{_('The mask')}: {error}", icon=":material/broken_image:")
        return None
    return truth


def chosen_weights() -> WeightsEntry:
    """The weights in the picker."""
    return get_weights(st.session_state["weights"])

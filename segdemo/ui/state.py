"""What a visitor has chosen: the pictures, the one on screen, and the weights. Kept in the session, checked on reading."""

import hashlib
import threading
from dataclasses import dataclass, replace

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from segdemo.data import Picture, open_picture, read_labels
from segdemo.data.samples import Sample, get_sample, list_samples
from segdemo.errors import ImageError
from segdemo.inference.agreement import check_target
from segdemo.inference.cache import BoundedCache
from segdemo.inference.pool import cpu_count
from segdemo.text import _
from segdemo.types import ClassInfo, LabelMap, Size, WeightsEntry
from segdemo.weights import get_weights

__all__ = [
    "MAX_UPLOADS", "Choice", "activate", "active_choice", "choices", "chosen_sample", "chosen_weights", "keep_mask",
    "keep_photo", "masks", "open_choice", "open_sample", "other_pictures",
    "truth_for",
]  # fmt: skip

ACTIVE_KEY = "active_picture"
PHOTO_KEY = "photo"
MAX_UPLOADS = 50
DECODE_REDUCED_TO = 2_100_000  # pixels; what networks and the screen can use of a photograph
PICTURE_MEMORY_BYTES = 400_000_000

_pictures: BoundedCache[str, Picture] = BoundedCache(PICTURE_MEMORY_BYTES, lambda picture: picture.pixels.nbytes)
_decoders = threading.BoundedSemaphore(cpu_count())  # decoding is the one thing that visitors do outside the engine


@dataclass(frozen=True)
class Choice:
    """A picture the visitor can look at: a sample or an upload. `key` is "sample" or the upload's id."""

    key: str
    name: str
    data: bytes
    sha256: str
    sample: Sample | None = None


def _decode(data: bytes, name: str) -> Picture:
    with _decoders:
        picture = open_picture(data, name, reduce_to=DECODE_REDUCED_TO)
    picture.pixels.setflags(write=False)  # visitors with the same file share it
    return picture


def open_choice(choice: Choice) -> Picture:
    """The decoded picture, remembered by the hash of its file's bytes. Raises ImageError with a sentence."""
    picture = _pictures.get_or_make(choice.sha256, lambda: _decode(choice.data, choice.name))
    return picture if picture.name == choice.name else replace(picture, name=choice.name)


def _digest(key: str, data: bytes) -> str:
    """SHA-256 of an upload's bytes, computed once a session."""
    known: dict[str, str] = st.session_state.setdefault("digests", {})
    if key not in known:
        known[key] = hashlib.sha256(data).hexdigest()
    return known[key]


@st.cache_data(max_entries=32, show_spinner=False)
def _sample_data(key: str) -> tuple[bytes, LabelMap | None]:
    return get_sample(key).load()


def chosen_sample() -> Sample:
    """The sample in the picker."""
    return get_sample(st.session_state["sample"])


def choices() -> list[Choice]:
    """The chosen sample, then the uploads in the order they came, then the camera's picture."""
    sample = chosen_sample()
    data = _sample_data(sample.key)[0]
    found = [Choice("sample", sample.title, data, hashlib.sha256(data).hexdigest(), sample)]
    for upload in (st.session_state.get("uploads") or [])[:MAX_UPLOADS]:
        data = upload.getvalue()
        found.append(Choice(upload.file_id, upload.name, data, _digest(upload.file_id, data)))
    if (photo := st.session_state.get(PHOTO_KEY)) is not None:
        found.append(Choice("camera", _("Camera"), photo, hashlib.sha256(photo).hexdigest()))
    return found


def open_sample(sample: Sample) -> Picture:
    """A picture of the gallery, whatever is chosen."""
    return open_choice(_of_gallery(sample))


def other_pictures(than: Picture) -> dict[str, Choice]:
    """The visitor's pictures and all of the gallery, by key, without the one that is looked at."""
    found = {c.key: c for c in [*choices()[1:], *map(_of_gallery, list_samples())]}
    return {key: choice for key, choice in found.items() if choice.sha256 != than.sha256}


def _of_gallery(sample: Sample) -> Choice:
    data = _sample_data(sample.key)[0]
    return Choice(f"gallery_{sample.key}", sample.title, data, hashlib.sha256(data).hexdigest(), sample)


def active_choice(available: list[Choice]) -> Choice:
    """The picture on screen: the one chosen last; where it was removed, the last of those that are left."""
    key = st.session_state.get(ACTIVE_KEY, "sample")
    return next((c for c in available if c.key == key), available[-1])


def activate(key: str) -> None:
    """Put a picture on screen."""
    st.session_state[ACTIVE_KEY] = key


def masks() -> dict[str, bytes]:
    """The visitor's masks by picture; kept apart from the widget, which forgets when another picture is shown."""
    kept: dict[str, bytes] = st.session_state.setdefault("masks", {})
    return kept


def keep_mask(key: str) -> None:
    """Take over what was put into, or out of, the mask uploader of a picture."""
    if (upload := st.session_state.get(f"mask_{key}")) is None:
        masks().pop(key, None)
    else:
        masks()[key] = upload.getvalue()


def keep_photo() -> None:
    """Take over the camera's picture and put it on screen; it stays when the camera is switched off."""
    if (photo := st.session_state.get("camera")) is not None:
        st.session_state[PHOTO_KEY] = photo.getvalue()
        activate("camera")


def truth_for(choice: Choice, size: Size, classes: tuple[ClassInfo, ...], place: DeltaGenerator) -> LabelMap | None:
    """The exact mask of a picture of that size, if there is one that a network's classes can be held against.

    A sample's mask counts where the network has the classes it was drawn with. What is wrong with a visitor's mask is
    said in `place`.
    """
    if choice.sample is not None:
        truth, drawn_with = _sample_data(choice.sample.key)[1], get_weights(choice.sample.suggested).classes
        return truth if [info.name for info in drawn_with] == [info.name for info in classes] else None
    mask = masks().get(choice.key)
    if mask is None:
        return None
    try:
        truth = read_labels(mask)
        check_target(size, classes, truth)
    except ImageError as error:
        place.error(f"{_('Mask')}: {error}", icon=":material/broken_image:")
        return None
    return truth


def chosen_weights() -> WeightsEntry:
    """The weights in the picker."""
    return get_weights(st.session_state["weights"])

"""A study: one picture's walk through one network. Everything the Feature maps page shows is drawn from it.

One forward pass makes it; it is remembered by the picture's bytes and the network's name. Large pictures are recorded
at a working size that the page states, so that their maps fit into memory.
"""

import os
from dataclasses import dataclass, replace
from functools import lru_cache
from math import prod

import numpy as np
from torch import Tensor, nn

from segdemo.data import Picture
from segdemo.data.preprocessing import scaled, to_input
from segdemo.errors import ImageError
from segdemo.features import Anatomy, Course, Placement, Recording, anatomy_at, placements, record_all, trace
from segdemo.features.receptive_field import strides
from segdemo.geometry import Geometry, Size, resize_nearest
from segdemo.inference import shared_engine
from segdemo.inference.cache import BoundedCache
from segdemo.inference.labels import labels_of, scores_of
from segdemo.inference.reconstruction import drawn_picture
from segdemo.text import _
from segdemo.types import LabelMap, Latency, Prediction, Preprocessing, RGBImage, WeightsEntry
from segdemo.ui.recordings import SharedMemory, held_by_visitor
from segdemo.weights import get_network
from segdemo.weights.loading import build_on_meta

__all__ = ["Study", "course_of", "prediction_from", "strides_of_network", "study_of", "truth_at"]

RECORDED_PIXELS = 320_000  # of the picture, at most
RECORDED_BYTES = 160_000_000  # of one picture's maps, at most
COURSE_MEMORY_BYTES = 60_000_000
SMALLEST_PIXELS = 4096
MEMORY_BYTES = int(os.environ.get("SEGDEMO_FEATURES_MB", "2000")) * 1_000_000


@dataclass(frozen=True)
class Study:
    """`seen` (h, w, 3) is the picture as the network saw it, before padding; `prediction` is at that size, or None where
    the network labels no pixels; `drawn` is what an autoencoder drew."""

    entry: WeightsEntry
    picture: Picture
    preprocessing: Preprocessing
    geometry: Geometry
    seen: RGBImage
    recording: Recording
    anatomy: Anatomy
    places: dict[str, Placement]
    prediction: Prediction | None
    drawn: RGBImage | None
    key: tuple[object, ...]

    @property
    def stages(self) -> list[str]:
        """Names of the recorded stages, in the order of the walk."""
        return [part.stage.name for part in self.anatomy.parts if part.stage.name in self.recording.maps]


_studies: SharedMemory[tuple[object, ...], Study] = SharedMemory(MEMORY_BYTES, lambda study: study.recording.nbytes)


def study_of(picture: Picture, network: str) -> Study:
    """The study of a picture with a network named as `get_network` reads it. Raises what loading and running raise."""
    key = (picture.sha256, picture.pixels.shape, network)
    study = _studies.get_or_make(held_by_visitor(), key, lambda: _make(picture, get_network(network), key))
    return replace(study, picture=picture)  # another visitor's file may have another name


_courses: BoundedCache[tuple[object, ...], Course] = BoundedCache(COURSE_MEMORY_BYTES, lambda course: course.nbytes)


def course_of(study: Study) -> Course:
    """The operations that the study's picture went through: one more pass, remembered for all pictures of its size where it
    is the same for them. Raises ImageError where memory is short."""
    name, image = study.entry.weights_id, study.recording.input
    of_all = (name, tuple(image.shape))
    if (known := _courses.get(of_all)) is not None:
        return known
    course = _courses.get_or_make(study.key, lambda: shared_engine().study(name, lambda model: trace(model, image)))
    if course.general:
        _courses.put(of_all, course)
        _courses.discard(study.key)
    return course


def _make(picture: Picture, entry: WeightsEntry, key: tuple[object, ...]) -> Study:
    preprocessing = _recorded(entry, picture.full_size)
    tensor, geometry = to_input(picture.pixels, preprocessing, picture.full_size)
    size = (tensor.shape[-2], tensor.shape[-1])
    try:
        recording = shared_engine().study(entry.weights_id, lambda model: record_all(model, tensor))
        anatomy, places = anatomy_at(entry.weights_id, size), places_at(entry.weights_id, size)
    except (RuntimeError, ValueError, IndexError) as error:
        raise ImageError(_("This network cannot take a picture of {w} × {h} pixels.", w=size[1], h=size[0])) from error
    seen = scaled(picture.pixels, geometry)
    study = Study(entry, picture, preprocessing, geometry, seen, recording, anatomy, places, None, None, key)
    if entry.task == "reconstruct":
        return replace(study, drawn=drawn_picture(recording.logits, seen, geometry, preprocessing))
    return replace(study, prediction=prediction_from(study, recording.logits)) if recording.logits[0].numel() > 1 else study


def _recorded(entry: WeightsEntry, full: Size) -> Preprocessing:
    """The entry's preprocessing, with fewer pixels where the maps of all stages would take too much memory."""
    preprocessing = replace(entry.preprocessing, max_pixels=min(entry.preprocessing.max_pixels, RECORDED_PIXELS))
    blank = np.zeros((*_bounded(full), 3), np.uint8)
    while preprocessing.max_pixels > SMALLEST_PIXELS:
        height, width = to_input(blank, preprocessing, full)[0].shape[-2:]
        needed = _bytes_of(anatomy_at(entry.weights_id, (height, width)))
        if needed <= RECORDED_BYTES:
            break
        fewer = min(preprocessing.max_pixels, height * width) * min(0.9, RECORDED_BYTES / needed)
        preprocessing = replace(preprocessing, max_pixels=max(SMALLEST_PIXELS, int(fewer)))
    return preprocessing


def _bytes_of(anatomy: Anatomy) -> int:
    """What is held of a picture at most: every stage's map, and of a stage with skips, once looked at, what feeds it."""
    shapes = {part.stage.name: prod(part.shape) for part in anatomy.parts}
    joined = sum((1 + len(part.stage.skip_from)) * shapes[part.stage.name] for part in anatomy.parts if part.stage.skip_from)
    return 4 * (sum(shapes.values()) + joined)


def _bounded(full: Size) -> Size:
    """A size of the same proportions that is cheap to allocate."""
    scale = min(1.0, 64 / min(full))
    return max(1, round(full[0] * scale)), max(1, round(full[1] * scale))


def _blank(network: str) -> nn.Module:
    """The network without values, this caller's own."""
    return build_on_meta(get_network(network))


def _channels(network: str) -> int:
    return get_network(network).preprocessing.channels


@lru_cache(maxsize=128)
def places_at(network: str, size: Size) -> dict[str, Placement]:
    """Where the maps of all stages lie on an input of that size."""
    return placements(_blank(network), size, _channels(network))


@lru_cache(maxsize=128)
def strides_of_network(network: str) -> dict[str, float | None]:
    """Input pixels between neighbouring positions of each stage."""
    return strides(_blank(network), _channels(network))


def prediction_from(study: Study, logits: Tensor, threshold: float = 0.5) -> Prediction:
    """Probabilities and labels at the size where the network saw the picture, from logits (C, h, w) on its input."""
    scores = scores_of(logits, study.geometry)
    entry = study.entry
    return Prediction(
        labels_of(scores, entry.binary, threshold), scores, entry.classes, Latency(), entry.weights_id, threshold, entry.binary
    )


def truth_at(truth: LabelMap | None, study: Study) -> LabelMap | None:
    """An exact mask at the size where the network saw the picture."""
    return None if truth is None else resize_nearest(truth, study.geometry.working)

"""What the Honest metrics view scores: the visitor's picture where its truth is known, and a small generated data set."""

import hashlib
from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np
import streamlit as st

from segdemo.data import Picture
from segdemo.data.shapes import SHAPE_CLASSES
from segdemo.errors import SegdemoError
from segdemo.geometry import resize_nearest
from segdemo.inference import rethreshold, shared_engine
from segdemo.inference.agreement import ERROR_KINDS, error_map
from segdemo.inference.export import blend
from segdemo.losslab.honesty import Case, SceneKind, scenes
from segdemo.text import _
from segdemo.types import LabelMap, Prediction, WeightsEntry
from segdemo.ui.drawing import encode_small
from segdemo.ui.state import Choice, active_choice, choices, chosen_weights, open_choice, truth_for
from segdemo.ui.words import plain
from segdemo.weights import get_weights, is_present

__all__ = ["Subject", "at_threshold", "error_thumbnail", "subject"]

STAND_IN = "unet/nuclei"
THUMBNAIL_HEIGHT = 176  # drawn at half of it


@dataclass(frozen=True)
class Subject:
    """The network, its predictions, and what had to be replaced, in sentences."""

    entry: WeightsEntry
    cases: tuple[Case, ...]
    notes: tuple[str, ...]


def subject() -> Subject:
    """With the chosen weights, if they segment and are here; else with weights that come with segdemo."""
    entry, notes = chosen_weights(), []
    own = None
    active = active_choice(choices())
    if entry.task == "segment" and is_present(entry):
        own, why = _own(active, entry)
        notes += [why] if why else []
    if own is None and _kind(entry) is None:
        notes.append(
            _("“{title}” has no generated pictures to be scored on, so U-Net on nuclei stands in.", title=_(entry.title))
        )
        entry = get_weights(STAND_IN)
    elif not is_present(entry):
        notes.append(_("“{title}” is not downloaded yet, so U-Net on nuclei stands in.", title=_(entry.title)))
        entry = get_weights(STAND_IN)
    kind = _kind(entry)
    generated = [] if kind is None else [_case(scene.title, kind, i, entry) for i, scene in enumerate(scenes(kind))]
    return Subject(entry, tuple([*([own] if own else []), *generated]), tuple(notes))


def _kind(entry: WeightsEntry) -> SceneKind | None:
    """Which generated pictures a network can be scored on."""
    if entry.task != "segment":
        return None
    names = [info.name for info in entry.classes]
    if names == [info.name for info in get_weights(STAND_IN).classes]:
        return "nuclei"
    return "shapes" if names == [info.name for info in SHAPE_CLASSES] else None


def _own(active: Choice, entry: WeightsEntry) -> tuple[Case | None, str]:
    """The visitor's picture, or why it is not there."""
    try:
        picture = open_choice(active)
        prediction = shared_engine().segment(picture, entry.weights_id)
    except SegdemoError as error:
        return None, f"**{plain(active.name)}**: {error}"
    truth = truth_for(active, prediction.size, entry.classes, st.container())
    if truth is None:
        return None, _("The picture in the sidebar, **{name}**, has no exact mask for these classes, so it is left out. "
                       "To a picture of your own a mask can be added on the Segment page.", name=plain(active.name))  # fmt: skip
    return _scored(active.name, picture, prediction, truth), ""


def _case(title: str, kind: SceneKind, place: int, entry: WeightsEntry) -> Case:
    picture = _picture(kind, place)
    return _scored(_(title), picture, shared_engine().segment(picture, entry.weights_id), scenes(kind)[place].truth)


def _scored(name: str, picture: Picture, prediction: Prediction, truth: LabelMap) -> Case:
    mask = hashlib.sha256(truth.tobytes()).hexdigest()
    key = f"{prediction.weights_id} {prediction.scores.shape} {picture.sha256} {mask}"
    return Case(key, name, picture.pixels, prediction, truth)


@lru_cache(maxsize=16)
def _picture(kind: SceneKind, place: int) -> Picture:
    image = scenes(kind)[place].image
    return Picture(f"{kind} {place}", hashlib.sha256(image.tobytes()).hexdigest(), image, (image.shape[0], image.shape[1]))


def at_threshold(case: Case, threshold: float) -> Case:
    """The same picture cut at another threshold."""
    return replace(case, prediction=rethreshold(case.prediction, threshold))


def error_thumbnail(case: Case) -> bytes:
    """A small PNG: the picture with what was found, missed and falsely found."""
    height, width = case.truth.shape
    size = (THUMBNAIL_HEIGHT, max(24, min(3 * THUMBNAIL_HEIGHT, round(THUMBNAIL_HEIGHT * width / height))))
    image = np.asarray(cv2.resize(case.image, size[::-1], interpolation=cv2.INTER_AREA), np.uint8)
    small = replace(case.prediction, preds=resize_nearest(case.prediction.preds, size))
    errors = error_map(small, resize_nearest(case.truth, size))
    return encode_small(blend(image, errors, ERROR_KINDS, 0.75)).data

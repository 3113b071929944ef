"""The number that is explained: a class's score, summed over a region of the picture."""

from typing import Literal

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from segdemo.features import Target
from segdemo.text import _
from segdemo.ui.features_pixel import pixel_in
from segdemo.ui.study import Study

__all__ = ["Region", "class_picker", "same_class", "target_of"]

Region = Literal["class", "picture", "pixel"]
AROUND = 8  # pixels on either side of the held one


def class_picker(study: Study, key: str) -> int:
    """A class of the network; the foreground class with the largest area in the picture to begin with."""
    classes = study.entry.classes
    indices = list(range(len(classes)))
    if st.session_state.get(key) not in indices:
        st.session_state[key] = _largest_class(study)
    return int(st.selectbox(
        _("Class"), indices, key=key, persist_state="session", format_func=lambda i: _(classes[i].name),
        help=_("The class whose score is asked about."),
    ))  # fmt: skip


def _largest_class(study: Study) -> int:
    assert study.prediction is not None
    counts = np.bincount(study.prediction.preds.ravel(), minlength=len(study.entry.classes))
    return 1 + int(counts[1:].argmax()) if len(counts) > 1 else 0


def same_class(study: Study, first: Study, class_index: int) -> int | None:
    """The class of that name in a second network; None where it knows none of the name."""
    if study.entry.classes == first.entry.classes:
        return class_index
    names = [info.name for info in study.entry.classes]
    wanted = first.entry.classes[class_index].name
    return names.index(wanted) if study.prediction is not None and wanted in names else None


def target_of(study: Study, class_index: int, region: Region) -> Target:
    """The class's score over the pixels where the network sees it, the whole picture, or around the held pixel.

    Only the picture counts, not what it was padded with.
    """
    logits = study.recording.logits
    inside = _of_picture(study)
    if region == "pixel" and (pixel := pixel_in(study)) is not None:
        rows, columns = inside.any(1).nonzero()[:, 0], inside.any(0).nonzero()[:, 0]
        near = torch.zeros_like(inside)
        near[_near(rows, pixel[0], study.seen.shape[0]), _near(columns, pixel[1], study.seen.shape[1])] = True
        return Target(class_index, near)
    if region == "picture":
        return Target(class_index, inside)
    labels = (logits[0] > 0).long() if logits.shape[0] == 1 else logits.argmax(0)
    return Target(class_index, inside & (labels == class_index))


def _of_picture(study: Study) -> Tensor:
    """(h, w) bool at the logits' size: where they speak of the picture, and not of what was put around it."""
    height, width = study.recording.logits.shape[-2:]
    sides = []
    for length, padded, working in zip((height, width), study.geometry.padded, study.geometry.working, strict=True):
        scale = 1.0 if length >= padded else length / padded  # few logits cover what was padded, many also the border
        start = (length - padded) // 2 if length >= padded else 0
        side = torch.zeros(length, dtype=torch.bool)
        side[start : start + max(1, round(working * scale))] = True
        sides.append(side)
    return sides[0][:, None] & sides[1][None, :]


def _near(places: Tensor, centre: int, length: int) -> slice:
    """The logits among `places`, which cover `length` pixels, within AROUND pixels of one."""
    scale = len(places) / length
    first = int(places[0])
    start = first + max(0, int((centre - AROUND) * scale))
    end = first + min(len(places), round((centre + AROUND + 1) * scale))
    start = min(start, first + len(places) - 1)
    return slice(start, max(start + 1, end))

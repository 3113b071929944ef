"""Why: what in a stage speaks for a class. Gradient-weighted activation (Grad-CAM), saliency, channels by contribution."""

from typing import Literal

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray
from torch import Tensor

from segdemo.errors import SegdemoError
from segdemo.features import Target, contributions, grad_cam, saliency
from segdemo.features.colour import coloured
from segdemo.features.private import private_copy
from segdemo.inference import shared_engine
from segdemo.inference.cache import BoundedCache
from segdemo.text import _
from segdemo.ui.features_parts import colour_bar, number, show_picture
from segdemo.ui.features_units import inside_picture
from segdemo.ui.features_walk import on_picture
from segdemo.ui.study import Study

__all__ = ["Region", "class_picker", "contributions_of", "show_why", "target_of", "why_controls"]

Region = Literal["class", "picture", "pixel"]
WHY_MEMORY_BYTES = 40_000_000
AROUND = 8  # pixels on either side of the probed one

_results: BoundedCache[tuple[object, ...], object] = BoundedCache(WHY_MEMORY_BYTES, lambda _r: 300_000)


def class_picker(study: Study, key: str) -> int:
    """A class of the network; the first foreground class it found in the picture to begin with."""
    classes = study.entry.classes
    indices = list(range(len(classes)))
    if st.session_state.get(key) not in indices:
        st.session_state[key] = _likely_class(study)
    return int(st.selectbox(
        _("Class"), indices, key=key, persist_state="session", format_func=lambda i: _(classes[i].name),
        help=_("The class whose score is asked about."),
    ))  # fmt: skip


def _likely_class(study: Study) -> int:
    """The foreground class with the largest area; the first where there is none."""
    assert study.prediction is not None
    counts = np.bincount(study.prediction.preds.ravel(), minlength=len(study.entry.classes))
    return 1 + int(counts[1:].argmax()) if len(counts) > 1 else 0


def target_of(study: Study, class_index: int, region: Region, pixel: tuple[int, int] | None = None) -> Target:
    """The class's score summed over a region: where the network sees it, the whole picture, or around a pixel (y, x)."""
    logits = study.recording.logits
    if region == "picture" or study.prediction is None:
        return Target(class_index, None)
    height, width = logits.shape[-2:]
    if region == "pixel" and pixel is not None:
        rows, columns = _near(pixel[0], study, height, 0), _near(pixel[1], study, width, 1)
        mask = torch.zeros(height, width, dtype=torch.bool)
        mask[rows, columns] = True
        return Target(class_index, mask)
    labels = (logits[0] > 0).long() if logits.shape[0] == 1 else logits.argmax(0)
    return Target(class_index, labels == class_index)


def _near(centre: int, study: Study, length: int, axis: int) -> slice:
    """Logits within AROUND pixels of a pixel of the picture, whatever the logits' resolution and border."""
    padded = study.geometry.padded[axis]
    border = (length - padded) / 2 if length >= padded else 0.0
    scale = 1.0 if length >= padded else length / padded
    low, high = ((centre + border + by) * scale for by in (-AROUND, AROUND + 1))
    start = min(length - 1, max(0, int(low)))
    return slice(start, max(start + 1, min(length, round(high))))


def contributions_of(study: Study, stage: str, class_index: int) -> NDArray[np.float64]:
    """How much each channel of a stage adds to a class's score, where the network sees the class; else in all the picture."""

    def compute() -> Tensor:
        target = target_of(study, class_index, "class")
        if target.region is not None and not bool(target.region.any()):
            target = Target(class_index, None)
        image = study.recording.input
        return shared_engine().study(
            study.entry.weights_id, lambda m: contributions(private_copy(m), image, stage, target)
        )  # fmt: skip

    values = _results.get_or_make((study.key, stage, "contributions", class_index), compute)
    assert isinstance(values, Tensor)
    return values.double().numpy()


def why_controls(study: Study) -> tuple[int, Region, str]:
    """Class, region and method."""
    pixel = st.session_state.get("pixel")
    regions: list[Region] = ["class", "picture", *(["pixel"] if pixel else [])]  # type: ignore[list-item]
    words = {
        "class": _("where the network sees it"), "picture": _("the whole picture"),
        "pixel": _("around the probed pixel"),
    }  # fmt: skip
    methods = {"cam": _("Grad-CAM at this stage"), "saliency": _("Saliency at the pixels")}
    class_index = class_picker(study, "why_class")
    region = st.radio(
        _("Region"), regions, key="why_region", persist_state="session", format_func=lambda r: words[r],
        help=_("What is explained is the class's score, summed over this region. Probe a pixel to ask about its surroundings."),
    )  # fmt: skip
    method = st.radio(
        _("Method"), list(methods), key="why_method", persist_state="session", format_func=lambda m: methods[m],
        help=_("Grad-CAM: the stage's channels, weighted by how much the score grows with them. "
               "Saliency: how strongly the score reacts to each pixel."),
    )  # fmt: skip
    return class_index, region, method


def show_why(study: Study, stage: str, class_index: int, region: Region, method: str) -> None:
    """The heat map over the picture, with its raw range and the target in words."""
    target = target_of(study, class_index, region, st.session_state.get("pixel"))
    where = {
        "class": _("over the pixels where the network sees it"), "picture": _("over the whole picture"),
        "pixel": _("around the probed pixel"),
    }[region]  # fmt: skip
    name = _(study.entry.classes[class_index].name)
    stated = _("Target: the score of **{name}**, summed {where}.", name=name, where=where)
    try:
        _explain(study, stage, target, method, (class_index, region))
    except SegdemoError as error:
        st.info(f"{stated} {error}", icon=":material/info:")
        return
    st.caption(stated)


def _explain(study: Study, stage: str, target: Target, method: str, chosen: tuple[int, str]) -> None:
    engine, image, name = shared_engine(), study.recording.input, study.entry.weights_id
    pixel = st.session_state.get("pixel") if chosen[1] == "pixel" else None
    key = (study.key, "" if method == "saliency" else stage, method, chosen, pixel)
    size = (study.seen.shape[0], study.seen.shape[1])
    if method == "saliency":
        heat = _results.get_or_make(key, lambda: engine.study(name, lambda m: saliency(private_copy(m), image, target)))
        assert isinstance(heat, Tensor)
        inner, low, high = inside_picture(heat, study), 0.0, float(heat.max())
        drawn = coloured(inner, 0.0, high, "sequential")
        label = _("change of the score by a change of the pixel")
    else:
        cam = _results.get_or_make(key, lambda: engine.study(name, lambda m: grad_cam(private_copy(m), image, stage, target)))
        low, high = cam.low, cam.high  # type: ignore[attr-defined]
        drawn = on_picture(coloured(cam.heat, 0.0, max(high, 0.0), "sequential"), study, stage, size)  # type: ignore[attr-defined]
        label = _("weighted sum of the channels, negative values cut at zero")
    left, right = st.columns(2, gap="medium")
    with left:
        show_picture(drawn, _("What speaks for the class"), smooth=True)
    with right:
        show_picture(np.rint(0.6 * drawn + 0.4 * study.seen).astype(np.uint8), _("The same over the picture"), smooth=True)
    colour_bar(0.0, max(high, 0.0), "sequential", label)
    if method == "cam":
        st.caption(_("Raw values before cutting: {low} to {high}.", low=number(low), high=number(high)))

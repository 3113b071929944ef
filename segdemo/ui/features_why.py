"""Why: what in a stage speaks for a class. Gradient-weighted activation (Grad-CAM), saliency, channels by contribution."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from torch import Tensor

from segdemo.errors import SettingError
from segdemo.features import Cam, Target, grad_cam, saliency
from segdemo.features.colour import coloured
from segdemo.inference import shared_engine
from segdemo.inference.cache import BoundedCache
from segdemo.text import _
from segdemo.ui.features_parts import colour_bar, number, over, show_picture
from segdemo.ui.features_pixel import pixel_in
from segdemo.ui.features_targets import Region, class_picker, same_class, target_of
from segdemo.ui.features_units import inside_picture
from segdemo.ui.features_walk import on_picture
from segdemo.ui.study import Study

__all__ = ["Question", "contributions_of", "show_why", "why_controls"]

Method = Literal["cam", "saliency"]
CAM_MEMORY_BYTES = 30_000_000

_cams: BoundedCache[tuple[object, ...], Cam] = BoundedCache(
    CAM_MEMORY_BYTES, lambda cam: 4 * (cam.heat.numel() + len(cam.weights))
)
_saliencies: BoundedCache[tuple[object, ...], Tensor] = BoundedCache(CAM_MEMORY_BYTES, lambda heat: 4 * heat.numel())


@dataclass(frozen=True)
class Question:
    """What is asked: which class of the first network, over which region, by which method."""

    class_index: int
    region: Region
    method: Method


def why_controls(study: Study) -> Question:
    """Class, region and method."""
    regions: list[Region] = ["class", "picture"]
    if pixel_in(study) is not None:
        regions.append("pixel")
    where = {"class": _("where the network sees it"), "picture": _("the whole picture"), "pixel": _("around the held pixel")}
    methods: dict[Method, str] = {"cam": _("Grad-CAM at this stage"), "saliency": _("Saliency at the pixels")}
    if st.session_state.get("why_region") not in regions:
        st.session_state["why_region"] = regions[0]
    class_index = class_picker(study, "why_class")
    region = st.radio(
        _("Region"), regions, key="why_region", persist_state="session", format_func=lambda r: where[r],
        help=_("What is explained is the class's score, summed over this region. Probe a pixel to ask about its surroundings."),
    )  # fmt: skip
    method = st.radio(
        _("Method"), list(methods), key="why_method", persist_state="session", format_func=lambda m: methods[m],
        help=_("Grad-CAM: the stage's channels, weighted by how much the score grows with them. "
               "Saliency: how strongly the score reacts to each pixel."),
    )  # fmt: skip
    return Question(class_index, region, method)


def show_why(study: Study, stage: str, question: Question, first: Study) -> None:
    """The heat map alone and over the picture, with its raw range and the target in words."""
    class_index = same_class(study, first, question.class_index)
    if class_index is None:
        missing = _(first.entry.classes[question.class_index].name)
        st.info(_("This network has no class called {name}.", name=missing), icon=":material/info:")
        return
    where = {
        "class": _("over the pixels where the network sees it"), "picture": _("over the whole picture"),
        "pixel": _("around the held pixel"),
    }[question.region]  # fmt: skip
    stated = _("Target: the score of **{name}**, summed {where}.", name=_(study.entry.classes[class_index].name), where=where)
    target = target_of(study, class_index, question.region)
    try:
        with st.spinner(_("Following the gradient …"), show_time=True):
            _show(study, stage, target, question, class_index)
    except SettingError as error:
        st.info(f"{stated} {error}", icon=":material/info:")
        return
    st.caption(stated)
    if question.method == "cam":
        st.caption(_("Early stages see edges, not objects: where a map contradicts what you expect, try a later stage. "
                     "What speaks against the class is cut at zero."))  # fmt: skip


def _show(study: Study, stage: str, target: Target, question: Question, class_index: int) -> None:
    key = _key(study, question, class_index)
    if question.method == "saliency":
        _show_saliency(study, target, key)
    else:
        _show_cam(study, stage, target, (*key, stage))


def _key(study: Study, question: Question, class_index: int) -> tuple[object, ...]:
    return study.key, class_index, question.region, pixel_in(study) if question.region == "pixel" else None


def _cam(study: Study, stage: str, target: Target, key: tuple[object, ...]) -> Cam:
    image, name = study.recording.input, study.entry.weights_id
    return _cams.get_or_make(key, lambda: shared_engine().study(name, lambda model: grad_cam(model, image, stage, target)))


def _show_cam(study: Study, stage: str, target: Target, key: tuple[object, ...]) -> None:
    cam = _cam(study, stage, target, key)
    high = max(cam.high, 0.0)
    drawn = on_picture(coloured(cam.heat, 0.0, high, "sequential"), study, stage, (study.seen.shape[0], study.seen.shape[1]))
    _pair(study, drawn)
    colour_bar(0.0, high, "sequential", _("weighted sum of the channels, negative values cut at zero"), (cam.low, cam.high))


def _show_saliency(study: Study, target: Target, key: tuple[object, ...]) -> None:
    image, name = study.recording.input, study.entry.weights_id
    heat = _saliencies.get_or_make(key, lambda: shared_engine().study(name, lambda model: saliency(model, image, target)))
    inner = inside_picture(heat, study)
    high = float(inner.max())
    _pair(study, coloured(inner, 0.0, high, "sequential"))
    colour_bar(0.0, high, "sequential", _("change of the score by a change of the pixel: 0 to {high}", high=number(high)))


def _pair(study: Study, drawn: NDArray[np.uint8]) -> None:
    left, right = st.columns(2, gap="medium")
    for column, title, pixels in (
        (left, _("What speaks for the class"), drawn), (right, _("Over the picture"), over(drawn, study.seen, 0.6)),
    ):  # fmt: skip
        with column:
            st.markdown(f"**{title}**")
            show_picture(pixels, title, smooth=True)


def contributions_of(study: Study, stage: str, class_index: int) -> NDArray[np.float64]:
    """How much each channel of a stage adds to a class's score, where the network sees the class; else in all the picture."""
    region: Region = "class"
    target = target_of(study, class_index, region)
    if target.region is not None and not bool(target.region.any()):
        region = "picture"
        target = target_of(study, class_index, region)
    key = (*_key(study, Question(class_index, region, "cam"), class_index), stage)
    return _cam(study, stage, target, key).contributions.double().numpy()

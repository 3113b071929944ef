"""Small things that several views of the Feature maps page share: colour bars, labelled pictures, ranges in words."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import streamlit as st
from numpy.typing import NDArray
from torch import Tensor

from segdemo.features import ReceptiveField
from segdemo.features.colour import STEPS, Kind, Scope, kind_of, palette, value_range
from segdemo.inference.export import blend
from segdemo.text import _
from segdemo.types import ClassInfo, LabelMap, RGBImage
from segdemo.ui.drawing import encode_small

__all__ = [
    "CLIP", "Scale", "certainty", "colour_bar", "masked", "number", "over", "scale_over", "scope_words", "sees_words",
    "show_picture",
]  # fmt: skip

CLIP = 0.002  # share of the values that may lie beyond either end of a scale: one hot corner must not darken the rest
LONG_SIDE = 640  # px: small maps are enlarged to about this, position by position


def number(value: float) -> str:
    """Three digits that count, thousands in full: 0.00123, 12.3, 4,560."""
    return (f"{value:,.0f}" if abs(value) >= 999.5 else f"{value:.3g}").replace("-", "−")


@dataclass(frozen=True)
class Scale:
    """The values at the ends of a colour scale, and which scale it is."""

    low: float
    high: float
    kind: Kind


def scale_over(*maps: Tensor) -> Scale:
    """The scale that suits these maps together, but for the share CLIP of their values at either end."""
    kind = kind_of(maps)
    return Scale(*value_range(maps, kind, CLIP), kind)


def over(drawn: RGBImage, image: RGBImage, opacity: float) -> RGBImage:
    """A drawn map over a picture of its size; `opacity` 1 is the map alone."""
    return np.rint(opacity * drawn + (1 - opacity) * image).astype(np.uint8)


def certainty(kind: str) -> str:
    """How sure a theoretical receptive field is, in words."""
    return {
        "exact": _("exact"), "upper bound": _("upper bound"),
        "convolutions only": _("by its convolutions"),
    }[kind]  # fmt: skip


def sees_words(field: ReceptiveField | None) -> str:
    """How much of the picture a stage sees; nothing where it cannot be told."""
    if field is None:
        return ""
    if field.whole:
        return _("the whole picture")
    return _("at least {n} × {n} px", n=field.size) if field.at_least else _("{n} × {n} px", n=field.size)


def scope_words(scope: Scope) -> str:
    """Whose values the ends of a colour scale are."""
    return {"map": _("this channel's own range"), "stage": _("range of this stage"), "all": _("range of all stages")}[scope]


def colour_bar(low: float, high: float, kind: Kind, label: str, raw: tuple[float, float] | None = None) -> None:
    """A gradient with the values at its ends, and whose they are; `raw` are the extremes, which may lie beyond.

    Nothing of a visitor's is part of the HTML.
    """
    if raw is not None:
        label += _(" · raw values {low} to {high}", low=number(raw[0]), high=number(raw[1]))
    steps = [palette(kind)[i] for i in np.linspace(0, STEPS - 1, 9).astype(int)]
    stops = ", ".join("rgb({},{},{})".format(*step) for step in steps)
    middle = "<span>0</span>" if kind == "diverging" else ""
    st.html(
        f'<div style="font-size:12.5px;max-width:420px" role="img" aria-label="{label}: {number(low)} – {number(high)}">'
        f'<div style="height:10px;border-radius:5px;background:linear-gradient(90deg,{stops})"></div>'
        f'<div style="display:flex;justify-content:space-between"><span>{number(low)}</span>{middle}'
        f"<span>{number(high)}</span></div>"
        f'<div style="opacity:.8">{label}</div></div>'
    )


def masked(image: RGBImage, labels: LabelMap, classes: Sequence[ClassInfo]) -> RGBImage:
    """The classes in their colours over the picture in grey, whose own colours would be mistaken for classes."""
    grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    return blend(np.asarray(grey, dtype=np.uint8), labels, classes, 0.7)


def show_picture(pixels: RGBImage, alt: str, caption: str = "", *, smooth: bool = False) -> None:
    """A picture or a coloured map, enlarged by whole positions where it is small, so that each is seen as a square."""
    encoded = encode_small(pixels if smooth else _enlarged(pixels))
    st.image(encoded.data, width="stretch", alt=alt, caption=caption or None, output_format="PNG")


def _enlarged(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    factor = max(1, LONG_SIDE // max(pixels.shape[:2]))
    return pixels if factor == 1 else pixels.repeat(factor, axis=0).repeat(factor, axis=1)

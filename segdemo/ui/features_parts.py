"""Small things that several views of the Feature maps page share: colour bars, labelled pictures, ranges in words."""

from collections.abc import Sequence

import cv2
import numpy as np
import streamlit as st
from numpy.typing import NDArray

from segdemo.features.colour import STEPS, Kind, Scope, palette
from segdemo.inference.export import blend
from segdemo.text import _
from segdemo.types import ClassInfo, LabelMap, RGBImage
from segdemo.ui.drawing import encode_small

__all__ = ["CLIP", "colour_bar", "masked", "number", "scope_words", "show_picture"]

CLIP = 0.002  # share of the values that may lie beyond either end of a scale: one hot corner must not darken the rest
LONG_SIDE = 640  # px: small maps are enlarged to about this, position by position


def number(value: float) -> str:
    """Three digits that count: 0.00123, 12.3, 4560."""
    return f"{value:.3g}"


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

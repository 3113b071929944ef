"""Which patch of a picture is shown: its frame in the whole picture, which can be moved, and the sliders of its place."""

from base64 import b64encode
from dataclasses import dataclass

import cv2
import numpy as np
import streamlit as st
from numpy.typing import NDArray

from segdemo.layerlab.patches import busiest_place
from segdemo.text import _
from segdemo.ui.components import patch_frame
from segdemo.ui.layers_parameter import keep, key_of
from segdemo.ui.layers_settings import choice_setting, number_setting

__all__ = ["Whole", "choose_patch"]

ZOOMS = {"1": 1.0, "2": 0.5, "4": 0.25, "8": 0.125}
SMALL = 320  # pixels of the longer side of the small picture
IN_COLUMN, IN_POPOVER = 120, 220  # pixels of its height, at most
LONGEST_SHAPE = 12  # times as long as wide: a longer picture would be a line in which nothing can be pointed at


@dataclass(frozen=True)
class Whole:
    """What a patch is cut from: RGB pixels (H, W, 3), and an id of theirs."""

    key: str
    pixels: NDArray[np.uint8]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.pixels.shape[0], self.pixels.shape[1]


@st.cache_data(max_entries=64, show_spinner=False)
def _usual_place(key: str, side: int, _pixels: NDArray[np.uint8]) -> tuple[int, int]:
    """Where a patch of that side stands at first: where there is most to see. In percent from the top and from the left."""
    return busiest_place(_pixels, side)


@st.cache_data(max_entries=16, show_spinner=False)
def _small(key: str, _pixels: NDArray[np.uint8]) -> str:
    """The whole picture, small, as an address that holds it."""
    scale = min(1.0, SMALL / max(_pixels.shape[:2]))
    height, width = (max(1, round(side * scale)) for side in _pixels.shape[:2])
    small = cv2.resize(_pixels, (width, height), interpolation=cv2.INTER_AREA)
    done, data = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 85])
    assert done  # three channels of eight bits can always be written
    return f"data:image/jpeg;base64,{b64encode(data.tobytes()).decode()}"


def choose_patch(whole: Whole, side: int | None, least: int) -> tuple[int, int, int]:
    """Side of the patch in pixels, and its place in percent from the top and the left.

    side: where it cannot be chosen; least: the smallest that can.
    """
    below = st.container()
    with st.popover(_("Which patch"), icon=":material/crop_free:", width="stretch"):
        above = st.container()
        if side is None:
            zoom = choice_setting("zoom", _("Of the picture"), _zoom_words(), "4", folded=True, help=_(
                "How much of the shorter side the 16 cells span: each is the mean of the pixels it covers."))  # fmt: skip
            side = max(least, int(min(whole.size) * ZOOMS[zoom] + 0.5))
        usual = _usual_place(whole.key, side, whole.pixels)
        down = number_setting("down", _("From the top, %"), 0, 100, usual[0], folded=True, help=_("Moves the patch down."))
        right = number_setting(
            "right", _("From the left, %"), 0, 100, usual[1], folded=True, help=_("Moves the patch to the right.")
        )
    if max(whole.size) > LONGEST_SHAPE * min(whole.size):
        return side, down, right
    for place, name, tallest in ((above, "popover", IN_POPOVER), (below, "column", IN_COLUMN)):
        with place:
            _framed(f"layers_patch_{name}", whole, (side, down, right), usual, tallest)
    return side, down, right


def _zoom_words() -> dict[str, str]:
    """How much of the picture's shorter side the patch spans, in words."""
    return {"1": _("all of it"), "2": _("a half"), "4": _("a quarter"), "8": _("an eighth")}


def _framed(key: str, whole: Whole, patch: tuple[int, int, int], usual: tuple[int, int], tallest: int) -> None:
    """The whole picture with the frame; patch: side, down and right as `choose_patch` returns them."""
    of_view = key_of("down")

    def moved() -> None:
        place = st.session_state.get(key, {}).get("moved")
        if place and key_of("down") == of_view:  # another change can have left the view just now
            for name, at in zip(("down", "right"), usual, strict=True):
                keep(name, min(100, max(0, int(place[name]))), at)

    height, width = whole.size
    patch_frame(key=key, on_moved_change=moved, data={
        "label": _("Which patch of the picture"), "hint": _("Drag the frame, or move it with the arrow keys."),
        "image": _small(whole.key, whole.pixels), "width": width, "height": height, "side": min(patch[0], height, width),
        "down": patch[1], "right": patch[2], "tallest": tallest,
    })  # fmt: skip

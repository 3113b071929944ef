"""What the Convolution view is shown on: numbers, a patch of the sidebar's picture, or a network's own first layer."""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from torch import nn

from segdemo.data import Picture
from segdemo.data.preprocessing import to_input
from segdemo.errors import SegdemoError
from segdemo.inference import shared_engine
from segdemo.layerlab.convolution import Arithmetic, Mode
from segdemo.layerlab.patches import busiest_place, patch_of
from segdemo.text import _
from segdemo.ui.state import active_choice, choices, open_choice
from segdemo.ui.words import plain
from segdemo.weights import get_weights

__all__ = [
    "FirstLayer",
    "channels_of",
    "first_layer",
    "known_words",
    "network_patch",
    "on_screen",
    "one_filter",
    "picture_patch",
    "side_of",
    "usual_place",
]

Float = NDArray[np.float64]
SHOWN = 16  # cells along a side of a picture's patch
ZOOMS = {"1": 1.0, "2": 0.5, "4": 0.25, "8": 0.125}


@dataclass(frozen=True)
class FirstLayer:
    """A network's first convolution: weight (filters, channels / groups, height, width), bias (filters,) or None."""

    name: str
    weight: Float
    bias: Float | None
    settings: Arithmetic


def on_screen() -> Picture | None:
    """The picture of the sidebar, or None with the sentence why it cannot be read."""
    choice = active_choice(choices())
    try:
        return open_choice(choice)
    except SegdemoError as error:
        st.error(f"**{plain(choice.name)}**: {error}", icon=":material/broken_image:")
        return None


def side_of(picture: Picture, zoom: str) -> int:
    """Pixels along a side of the square that a zoom shows; zoom: a key of ZOOMS."""
    return max(SHOWN, int(min(picture.pixels.shape[:2]) * ZOOMS[zoom] + 0.5))


@st.cache_data(max_entries=64, show_spinner=False)
def usual_place(sha256: str, side: int, _picture: Picture) -> tuple[int, int]:
    """Where a patch of that side stands at first: where there is most to see. In percent from the top and from the left."""
    return busiest_place(_picture.pixels, side)


def picture_patch(picture: Picture, side: int, down: int, right: int) -> Float:
    """(1, 16, 16) greys of a square of the picture, side pixels wide; down, right: its place in percent."""
    return patch_of(picture.pixels, side, down / 100, right / 100, SHOWN, grey=True)


@st.cache_resource(max_entries=2, show_spinner=False)
def _network_input(sha256: str, weights_id: str, _picture: Picture) -> NDArray[np.float32]:
    """(channels, H, W) as the network is given the whole picture."""
    tensor, _geometry = to_input(_picture.pixels, get_weights(weights_id).preprocessing, _picture.full_size)
    return np.ascontiguousarray(tensor[0].numpy())


def network_patch(picture: Picture, weights_id: str, side: int, down: int, right: int) -> Float:
    """(channels, side, side) of what the network is really given of the picture; down, right: the place in percent."""
    whole = _network_input(picture.sha256, weights_id, picture)
    height, width = whole.shape[1:]
    side = min(side, height, width)
    top, left = round(down / 100 * (height - side)), round(right / 100 * (width - side))
    return whole[:, top : top + side, left : left + side].astype(np.float64)


@lru_cache(maxsize=16)
def first_layer(weights_id: str) -> FirstLayer | None:
    """The first convolution of a network with its weights as they were trained; None where it has none.

    Raises what loading a network raises.
    """
    return shared_engine().study(weights_id, _first_of)


def _first_of(model: nn.Module) -> FirstLayer | None:
    for name, layer in model.named_modules():
        if isinstance(layer, nn.Conv2d):
            return _read(name, layer)
    return None


def _read(name: str, layer: nn.Conv2d) -> FirstLayer:
    kernel = layer.kernel_size
    if layer.padding == "same":
        padding: tuple[int, ...] = tuple(d * (k - 1) // 2 for d, k in zip(layer.dilation, kernel, strict=True))
    else:
        padding = (0, 0) if isinstance(layer.padding, str) else tuple(layer.padding)
    mode: Mode = layer.padding_mode
    settings = Arithmetic(tuple(layer.stride), padding, tuple(layer.dilation), layer.groups, mode)
    weight = layer.weight.detach().double().cpu().numpy()
    bias = None if layer.bias is None else layer.bias.detach().double().cpu().numpy()
    return FirstLayer(name, weight, bias, settings)


def one_filter(layer: FirstLayer, number: int) -> FirstLayer:
    """The layer with a single filter; of a layer with groups, on the channels of that filter's group alone."""
    bias = None if layer.bias is None else layer.bias[number : number + 1]
    return replace(layer, weight=layer.weight[number : number + 1], bias=bias, settings=replace(layer.settings, groups=1))


def channels_of(layer: FirstLayer, number: int) -> slice:
    """The input channels that a filter sees."""
    channels = layer.weight.shape[1]
    group = number // (len(layer.weight) // layer.settings.groups)
    return slice(group * channels, (group + 1) * channels)


def known_words() -> dict[str, str]:
    """How much of the picture's shorter side the patch spans, in words."""
    return {"1": _("all of it"), "2": _("a half"), "4": _("a quarter"), "8": _("an eighth")}

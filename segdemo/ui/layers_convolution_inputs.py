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
from segdemo.ui.state import active_choice, choices, open_choice
from segdemo.ui.words import plain
from segdemo.weights import get_weights

__all__ = [
    "FirstLayer",
    "channels_of",
    "first_layer",
    "network_input",
    "on_screen",
    "one_filter",
    "seen_input",
]

Float = NDArray[np.float64]


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


@st.cache_resource(max_entries=2, show_spinner=False)
def network_input(sha256: str, weights_id: str, _picture: Picture) -> NDArray[np.float32]:
    """(channels, H, W) as the network is given the whole picture."""
    tensor, _geometry = to_input(_picture.pixels, get_weights(weights_id).preprocessing, _picture.full_size)
    return np.ascontiguousarray(tensor[0].numpy())


@st.cache_data(max_entries=4, show_spinner=False)
def seen_input(key: str, _whole: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The network's input (channels, H, W) as something to look at, (H, W, 3): of one channel, or of the first three."""
    shown = np.repeat(_whole[:1], 3, axis=0) if len(_whole) < 3 else _whole[:3]
    low, high = float(shown.min()), float(shown.max())
    return np.ascontiguousarray(np.moveaxis(255 * (shown - low) / max(high - low, 1e-9), 0, -1).astype(np.uint8))


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

"""What the Convolution view convolves, with the controls of each: numbers, a patch of a picture, a network's first layer."""

from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

from segdemo.data import Picture
from segdemo.errors import SegdemoError
from segdemo.layerlab.convolution import MOST_TAPS, Arithmetic, Float, tap_count
from segdemo.layerlab.patches import KERNELS, edge_kernel, patch_of, place_square
from segdemo.text import _
from segdemo.ui.fetching import offer_download
from segdemo.ui.layers_convolution_inputs import (
    FirstLayer,
    channels_of,
    first_layer,
    network_input,
    on_screen,
    one_filter,
    seen_input,
)  # fmt: skip
from segdemo.ui.layers_convolution_place import Whole, choose_patch
from segdemo.ui.layers_convolution_settings import axis_letter, movement, shape_of_channels
from segdemo.ui.layers_settings import choice_setting, number_setting
from segdemo.ui.layers_typed import Cells, pattern_setting, typed
from segdemo.ui.state import chosen_weights
from segdemo.weights import is_present

__all__ = ["Shown", "numbers_shown", "on_network", "on_picture"]

SHOWN = 16  # cells along a side of a picture's patch
NETWORK_SIDE = 8  # cells of the patch that a network's first layer is shown on
MOST_WEIGHTS_OF_A_FILTER = 12 * 49


@dataclass(frozen=True)
class Shown:
    """What is convolved. cells, kernel: the input and the weights where their numbers can be typed over."""

    image: Float
    weight: Float
    bias: Float | None
    settings: Arithmetic
    picture: bool
    cells: Cells | None = None
    kernel: Cells | None = None
    note: str = ""


def numbers_shown(axes: int) -> Shown:
    """Numbers that can be typed over, in one to three axes."""
    low, high, default = {1: (3, 16, 9), 2: (3, 9, 6), 3: (2, 4, 4)}[axes]
    name = f"n{axis_letter(axes)}"
    size = number_setting(name, _("Input size"), low, high, default, help=_("Cells along each axis of the input."))
    sizes = (size,) * axes
    kernel, settings = movement(sizes, None)
    channels, filters, groups, bias, flipped = shape_of_channels(axes, tap_count((1, *sizes), (1, 1, *kernel), settings))
    settings = replace(settings, groups=groups, flipped=flipped)
    _pattern, numbers = pattern_setting((channels, *sizes), _("Input of"), usual="edge")
    cells = typed("x", numbers)
    weight = typed("w", edge_kernel((filters, channels // groups, *kernel)))
    biases = np.arange(1.0, filters + 1) if bias else None
    note = _meaning(weight, flipped)
    return Shown(cells.values, weight.values, biases, settings, picture=False, cells=cells, kernel=weight, note=note)


def _meaning(weight: Cells, flipped: bool) -> str:
    """What the usual kernel answers to; of several, or of one's own, no word."""
    if weight.own or weight.values.shape[:2] != (1, 1) or weight.values.shape[-1] == 1:
        return ""
    if flipped:
        return _("Turned around, this kernel is left minus right: negative where the input gets larger to the right.")
    return _("This kernel is right minus left: positive where the input gets larger to the right, 0 where nothing changes.")


# ---- a picture ----------------------------------------------------------------------------------------------------------------


def on_picture() -> Shown | None:
    """A patch of the sidebar's picture under a known kernel; None with the sentence why not."""
    picture = on_screen()
    if picture is None:
        return None
    names = {name: _(kernel.title) for name, kernel in KERNELS.items()}
    name = choice_setting("kernel", _("Kernel"), names, "sobel_x", clears=("wk",), help=_("Well-known kernels."))
    known = KERNELS[name]
    side, down, right = choose_patch(Whole(picture.sha256, picture.pixels), None, SHOWN)
    image = patch_of(picture.pixels, side, down / 100, right / 100, SHOWN, grey=True)
    _size, settings = movement(image.shape[1:], (3, 3))
    weight = typed("wk", known.values[None, None])
    note = _("Your own kernel.") if weight.own else f"**{_(known.title)}**: {_(known.meaning)}"
    return Shown(image, weight.values, None, settings, picture=True, kernel=weight, note=note)


# ---- a network ----------------------------------------------------------------------------------------------------------------


def on_network() -> Shown | None:
    """A patch of what the sidebar's network is given, under a filter of its first layer; None with the sentence why not."""
    picture, entry = on_screen(), chosen_weights()
    if picture is None:
        return None
    if not is_present(entry):
        offer_download(entry)
        return None
    try:
        layer = first_layer(entry.weights_id)
    except SegdemoError as error:
        st.error(str(error), icon=":material/error:")
        return None
    if layer is None or layer.weight[0].size > MOST_WEIGHTS_OF_A_FILTER:
        st.info(_("This network's first layer is not a convolution that can be shown here."), icon=":material/info:")
        return None
    number = number_setting(
        "filter", _("Filter"), 0, len(layer.weight) - 1, 0, help=_("Which of the layer's filters. Each makes one output channel.")
    )
    image = _network_patch(picture, entry.weights_id)[channels_of(layer, number)]
    chosen, cut = _drawn(one_filter(layer, number), image)
    filters, channels, height, width = layer.weight.shape
    note = _("`{name}` of {id}: {filters} filters of {h}×{w} weights on each of {channels} channels, stride {stride}, padding "
             "{padding}. The input is what the network is given: {side}×{side} pixels of the picture, normalised.",
             name=layer.name, id=entry.weights_id, filters=filters, channels=channels, h=height, w=width,
             stride=layer.settings.stride[0], padding=layer.settings.padding[0], side=image.shape[-1])  # fmt: skip
    return Shown(image, chosen.weight, chosen.bias, chosen.settings, picture=True, note=f"{note} {cut}".strip())


def _network_patch(picture: Picture, weights_id: str) -> Float:
    """(channels, side, side) of what the network is really given of the picture, with the choice of the place."""
    whole = network_input(picture.sha256, weights_id, picture)
    key = f"{picture.sha256} {weights_id}"
    side, down, right = choose_patch(Whole(key, seen_input(key, whole)), NETWORK_SIDE, NETWORK_SIDE)
    square = place_square((whole.shape[1], whole.shape[2]), side, down / 100, right / 100)
    return np.moveaxis(square.of(np.moveaxis(whole, 0, -1)), -1, 0).astype(np.float64)


def _drawn(layer: FirstLayer, image: Float) -> tuple[FirstLayer, str]:
    """The layer with as much of its padding as touches the picture, where all of it would be too much, and a sentence then.

    FCN's first layer pads by 100: far outside, every output cell is only the bias.
    """
    if tap_count(image.shape, layer.weight.shape, layer.settings) <= MOST_TAPS:
        return layer, ""
    reach = tuple(min(p, d * (k - 1)) for p, d, k in zip(
        layer.settings.padding, layer.settings.dilation, layer.weight.shape[2:], strict=True))  # fmt: skip
    words = _("Only {p} of its padding is drawn: beyond that, no weight meets the picture.", p=reach[0])
    return replace(layer, settings=replace(layer.settings, padding=reach)), words

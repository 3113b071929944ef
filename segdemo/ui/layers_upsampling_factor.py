"""The methods of the Up-sampling view that make a map a whole number of times as large: their sliders, and what they do."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from segdemo.layerlab.scene import Scene
from segdemo.layerlab.sizes import transposed_size
from segdemo.layerlab.transposed import fcn_settings
from segdemo.layerlab.upsampling_all_scene import everything_scene
from segdemo.layerlab.upsampling_scene import bilinear_scene, channel_weights, nearest_scene, shuffle_scene
from segdemo.text import _
from segdemo.ui.layers_frame import reasons
from segdemo.ui.layers_settings import number_setting, switch_setting
from segdemo.ui.layers_typed import Cells
from segdemo.ui.layers_upsampling_shown import Shown, size_question, unreadable
from segdemo.ui.layers_upsampling_transposed import USUAL_KERNEL, USUAL_STRIDE

__all__ = ["by_factor"]

Float = NDArray[np.float64]
MOST_CELLS = {"all": 12, "shuffle": 12}  # along a side of the output, so that its numbers can be read
USUAL_MOST = 16


def by_factor(method: str, image: Cells) -> Shown:
    """A method that makes a map a whole number of times as large, with its sliders."""
    size, most_cells = len(image.values), MOST_CELLS.get(method, USUAL_MOST)
    most = max(2, min(4, most_cells // size))
    why = unreadable(most_cells) if most < 4 else ""
    factor = number_setting("r", _("Times as large"), 2, most, 2, help=_("The factor for height and width."), why=why)
    reasons([why])
    alike = method in ("all", "shuffle") and _alike(factor)
    scene, note = _scene(method, image.values, factor, alike)
    mistaken = (factor * (size - 1) + 1, factor + size, factor * size - 1)
    return Shown(scene, note, size_question(factor * size, mistaken, scene.formula.split("\n")[0]), image)


def _scene(method: str, image: Float, factor: int, alike: bool) -> tuple[Scene, str]:
    """What is drawn, and what the method does."""
    if method == "all":
        return everything_scene(image, factor, alike), _all_note(len(image), factor)
    if method == "shuffle":
        return shuffle_scene(image, factor, channel_weights(factor, alike)), _shuffle_note(alike)
    if method == "bilinear":
        return bilinear_scene(image, factor), _bilinear_note()
    note = _("Every cell is copied into a block. Nothing is learned, and nothing is uneven.")
    return nearest_scene(image, factor), note


def _alike(factor: int) -> bool:
    """The switch of pixel shuffle's channels, with what it does in words under it."""
    alike = switch_setting("alike", _("All channels alike (ICNR)"), help=_(
        "How a network that ends in pixel shuffle starts: with random weights, or with the same ones for all r² channels."
    ))  # fmt: skip
    st.caption(_alike_words(factor) if alike else _unlike_words(factor))
    return alike


def _alike_words(factor: int) -> str:
    return _(
        "Pixel shuffle starts as **nearest**: its {n} channels are the same map, so that every block of {r} × {r} has one number "
        "and there is no checkerboard. Training makes them differ where that helps.", n=factor**2, r=factor,
    )  # fmt: skip


def _unlike_words(factor: int) -> str:
    return _(
        "Pixel shuffle's {n} channels differ by chance, as in an untrained network: here they are the map times 1, ½ or 1½. "
        "Every block of {r} × {r} gets the same unevenness: a **checkerboard**. With the switch on it is gone.",
        n=factor**2, r=factor,
    )  # fmt: skip


def _all_note(size: int, factor: int) -> str:
    kernel, settings = fcn_settings(factor)
    bilinear = _(
        "Bilinear's `align_corners=False` is PyTorch's default: cells are squares, and both pictures have the same outline; with "
        "True the middles of the corner cells coincide."
    )
    transposed = _(
        "The transposed convolution starts as FCN's does, with bilinear weights: inside it equals bilinear; at the border it "
        "is darker, because no neighbour adds its share there. Its kernel of {k} × {k} with stride {s} and padding {p} makes "
        "the map exactly {s} times as large; **Transposed** itself starts with a kernel of {usual} × {usual}, stride {stride} "
        "and no padding, which makes {side} × {side} cells of it.", k=kernel, s=factor, p=settings.padding[0], usual=USUAL_KERNEL,
        stride=USUAL_STRIDE, side=transposed_size(size, USUAL_KERNEL, USUAL_STRIDE),
    )  # fmt: skip
    return f"{bilinear} {transposed}"


def _shuffle_note(alike: bool) -> str:
    dealt = _("A convolution before it makes r² channels; their cells are arranged in blocks of r × r.")
    how = (
        _("With identical channels, that is the same picture as nearest.")
        if alike
        else _("Where channels differ for no reason, a checkerboard appears.")
    )
    return f"{dealt} {how}"


def _bilinear_note() -> str:
    return _(
        "`align_corners=False` is PyTorch's default: cells are squares, and both pictures have the same outline. With "
        "`align_corners=True` the middles of the corner cells coincide, so that the steps in between depend on the size. "
        "Training with one and predicting with the other shifts masks by part of a pixel."
    )

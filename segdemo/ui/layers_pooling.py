"""The Pooling view: windows that keep their largest cell or their mean, what sticks out, and what a move of one pixel changes."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from segdemo.layerlab.convolution import convolve
from segdemo.layerlab.patches import edge_kernel, patch_of
from segdemo.layerlab.pooling import Pooling, average_pool, counted, max_pool, windows
from segdemo.layerlab.pooling_layer import Float, Kind, Shrinking, changed, moved, shrunk
from segdemo.layerlab.pooling_scene import pooling_scene, shift_scene
from segdemo.layerlab.scene import Scene
from segdemo.layerlab.sizes import pooled_size
from segdemo.text import _
from segdemo.ui.layers_convolution_inputs import on_screen
from segdemo.ui.layers_frame import asked, explain, framed, introduce, theatre, two_columns
from segdemo.ui.layers_pooling_moved import compare
from segdemo.ui.layers_pooling_settings import windows_setting
from segdemo.ui.layers_settings import choice_setting, number_setting
from segdemo.ui.layers_typed import Cells, pattern_setting, typed

__all__ = ["SETTINGS", "show_pooling"]

SETTINGS = ("kind", "n", "by", "k", "s", "p", "d", "ceil", "pad", "of", "x")

ROOM = 4  # pixels by which the picture can move
LARGEST = 12
CHOICES = 4  # answers to the question about the size


@dataclass(frozen=True)
class Shown:
    """What is pooled: the input with what can come in from the left, the layer, by how many pixels the picture moves."""

    wide: Float
    layer: Shrinking
    by: int
    cells: Cells | None  # None: a picture, whose cells cannot be typed over

    @property
    def image(self) -> Float:
        """The input before it moves, (n, n)."""
        return self.wide[:, ROOM:]


def show_pooling() -> None:
    """Two sentences, the theatre with its controls, what a move changes, and the explanation."""
    words = st.container()
    frame = framed()
    with frame.top:
        kind = _kind()
    with words:
        introduce(_lead(kind))
    with frame.side:
        shown = _shown(kind)
    if shown is None:
        return
    with frame.place:
        scene = _scene(shown)
        _draw(shown, scene, _question(frame.top, shown, scene))
        if shown.by:
            compare(shown.wide, shown.layer, shown.by, ROOM)
    _explain()


def _kind() -> Kind:
    words: dict[Kind, str] = {"max": _("Maximum"), "average": _("Average"), "global": _("Global"), "strided": _("Strided")}
    return choice_setting("kind", _("How"), words, "max", compact=True, hide_label=True, help=_(
        "What becomes of the cells in a window. A convolution with a stride shrinks the picture as well, with weights that are "
        "learned."))  # fmt: skip


def _lead(kind: Kind) -> str:
    """Two sentences about what is done to the cells of a window."""
    move = _("Move the picture by a pixel to see how much depends on where the windows happen to stand.")
    first = {
        "max": _("A window steps over each channel and keeps its largest cell: the picture gets smaller, and nothing is "
                 "learned."),
        "average": _("A window steps over each channel and keeps the mean of its cells: the picture gets smaller, and nothing is "
                     "learned."),
        "strided": _("A convolution with stride 2 also halves the picture, but with weights that are learned."),
        "global": _("One window covers a whole channel and keeps its mean: of a map of any size a single number is left, and "
                    "nothing is learned."),
    }  # fmt: skip
    return f"{first[kind]} {move}"


# ---- the settings --------------------------------------------------------------------------------------------------------------


def _shown(kind: Kind) -> Shown | None:
    left, right = two_columns()
    with left:
        size = number_setting("n", _("Input size"), 3, LARGEST, 6, help=_("Cells along each side of the input."))
    with right:
        by = number_setting("by", _("Moved by"), 0, ROOM, 0, help=_("Pixels by which the picture moves to the right."))
    settings = windows_setting(kind, size)
    chosen, numbers = pattern_setting((1, size, ROOM + size), _("Shown on"), {"picture": _("the picture")}, to_nine=True)
    cells = None if chosen == "picture" else typed("x", numbers[0, :, ROOM:])
    wide = _patch(size) if cells is None else np.hstack([numbers[0, :, :ROOM], cells.values])
    if wide is None:
        return None
    weight = edge_kernel((1, 1, *settings.kernel))[0, 0] if kind == "strided" else None
    return Shown(wide, Shrinking(kind, settings, weight), by, cells)


def _patch(size: int) -> Float | None:
    """(n, ROOM + n) greys of the middle of the sidebar's picture; None with the sentence where it cannot be read."""
    picture = on_screen()
    if picture is None:
        return None
    cells = size + ROOM
    side = max(cells, min(picture.pixels.shape[:2]) // 4)
    return patch_of(picture.pixels, side, 0.5, 0.5, cells, grey=True)[0, ROOM // 2 : ROOM // 2 + size]


# ---- the theatre ---------------------------------------------------------------------------------------------------------------


def _scene(shown: Shown) -> Scene:
    if shown.by:
        return shift_scene(shown.wide, shown.layer, shown.by, ROOM, picture=shown.cells is None)
    return pooling_scene(shown.image, shown.layer, picture=shown.cells is None)


def _draw(shown: Shown, scene: Scene, covered: bool) -> None:
    def edited(_grid: int, row: int, column: int, value: float) -> None:
        down, right = shown.layer.windows_on(shown.image).padding
        if shown.cells:
            shown.cells.type_over((row - down, column - right), value)

    theatre(scene, label=_("Pooling, window by window"), covered=covered, autoplay=not shown.by,
            editable=(0,) if shown.cells else (), on_edit=edited)  # fmt: skip


def _question(top: st.delta_generator.DeltaGenerator, shown: Shown, scene: Scene) -> bool:
    if shown.by:
        before, after = (shrunk(image, shown.layer) for image in moved(shown.wide, shown.by, ROOM))
        count = int(changed(before, after).sum())
        share = "none" if not count else "all" if count == before.size else "some"
        choices = {"none": _("None"), "some": _("Some"), "all": _("All")}
        return asked(top, _("How many outputs change when the picture moves?"), choices, share,
                     _("{n} of {all} have a different value in the same place.", n=count, all=before.size))  # fmt: skip
    right = scene.grids[1].values.shape[0]
    options = _plausible(right, shown.image.shape[0], shown.layer.windows_on(shown.image))
    choices = {str(n): f"{n} × {n}" for n in options}
    return asked(top, _("How large will the output be?"), choices, str(right), scene.formula)


def _plausible(right: int, size: int, settings: Pooling) -> list[int]:
    """Four different sizes of the output, the right one and what is left by the mistakes that are near."""
    (kernel, _k), (stride, _s) = settings.kernel, settings.stride
    rounded = pooled_size(size, kernel, stride, settings.padding[0], settings.dilation[0], not settings.ceil_mode)
    mistakes = (rounded, size // stride, right - 1, size - kernel + 1, right + 1, size, right + 2, right + 3)
    return sorted(list(dict.fromkeys([right, *(found for found in mistakes if found >= 1)]))[:CHOICES])


def _explain() -> None:
    text = _(
        "**Maximum** asks whether something is there, **average** how much of it. Both see one channel at a time and have no "
        "weights; a **strided convolution** learns how to shrink, mixes channels and costs parameters. **Global average** "
        "pooling makes one number of each channel.\n\n"
        "The size rounds down: cells at the right and at the bottom that fill no window are never looked at. **Ceil mode** "
        "rounds up instead. PyTorch leaves a last window out if it would start beyond the input.\n\n"
        "A segmentation network pools to see far with few cells, and has to win back what was lost: skip connections bring the "
        "fine maps, unpooling the places of the maxima."
    )
    formulas = (
        r"y_{i,j} = \max_{u,v}\; x_{s i + d u - p,\; s j + d v - p}",
        r"y_{i,j} = \frac{1}{|W_{i,j}|} \sum_{(a,b) \in W_{i,j}} x_{a,b}",
        r"\text{size} = \left\lfloor \frac{n + 2p - d\,(k-1) - 1}{s} \right\rfloor + 1 \quad (\lceil\cdot\rceil \text{ with "
        r"ceil mode})",
    )
    papers = (
        ("Zhang: Making Convolutional Networks Shift-Invariant Again, ICML 2019", "https://arxiv.org/abs/1904.11486"),
        ("Springenberg et al.: Striving for Simplicity: The All Convolutional Net, 2015", "https://arxiv.org/abs/1412.6806"),
        ("Lin, Chen, Yan: Network In Network (global average pooling), 2014", "https://arxiv.org/abs/1312.4400"),
    )
    explain(text, formulas, papers, (windows, pooled_size, max_pool, average_pool, counted, convolve))

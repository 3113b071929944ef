"""The Pooling view: windows that keep their largest cell or their mean, what sticks out, and what a move of one pixel changes."""

from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

from segdemo.layerlab.convolution import convolve
from segdemo.layerlab.patches import patch_of, plain_kernel
from segdemo.layerlab.pooling import Pooling, average_pool, counted, max_pool, windows
from segdemo.layerlab.pooling_scene import KINDS, Float, Kind, Shrinking, moved, pooling_scene, shift_scene, shrunk
from segdemo.layerlab.scene import Scene
from segdemo.layerlab.sizes import extent, pooled_size
from segdemo.text import _
from segdemo.ui.layers_convolution_inputs import on_screen
from segdemo.ui.layers_frame import asked, explain, framed, introduce, reasons, theatre, two_columns
from segdemo.ui.layers_settings import choice_setting, number_setting, switch_setting
from segdemo.ui.layers_typed import Cells, pattern_setting, typed

__all__ = ["SETTINGS", "show_pooling"]

SETTINGS = ("kind", "n", "by", "k", "s", "p", "d", "ceil", "pad", "of", "x")

ROOM = 4  # pixels by which the picture can move
LARGEST = 12
SAME = 1e-12


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
    introduce(_("A window steps over each channel and keeps its largest cell, or its mean: the picture gets smaller, and "
                "nothing is "
                "learned. Move the picture by a pixel to see how much hangs on where the windows happen to stand."))  # fmt: skip
    frame = framed()
    with frame.top:
        kind = _kind()
    with frame.side:
        shown = _shown(kind)
    if shown is None:
        return
    with frame.place:
        scene = _scene(shown)
        _draw(shown, scene, _question(frame.top, shown, scene))
        if shown.by:
            _compare(shown)
    _explain()


def _kind() -> Kind:
    words = {"max": _("Maximum"), "average": _("Average"), "global": _("Global"), "strided": _("Strided")}
    chosen = choice_setting("kind", _("How"), words, "max", compact=True, hide_label=True, help=_(
        "What becomes of the cells in a window. A convolution with a stride shrinks the picture as well, with weights that are "
        "learned."))  # fmt: skip
    return next(kind for kind in KINDS if kind == chosen)


# ---- the settings --------------------------------------------------------------------------------------------------------------


def _shown(kind: Kind) -> Shown | None:
    left, right = two_columns()
    with left:
        size = number_setting("n", _("Input size"), 3, LARGEST, 6, help=_("Cells along each side of the input."))
    with right:
        by = number_setting("by", _("Moved by"), 0, ROOM, 0, help=_("Pixels by which the picture moves to the right."))
    settings = _windows(kind, size)
    chosen, numbers = pattern_setting((1, size, ROOM + size), _("Shown on"), {"picture": _("the picture")}, to_nine=True)
    cells = None if chosen == "picture" else typed("x", numbers[0, :, ROOM:])
    wide = _patch(size) if cells is None else np.hstack([numbers[0, :, :ROOM], cells.values])
    if wide is None:
        return None
    weight = plain_kernel((1, 1, *settings.kernel))[0, 0] if kind == "strided" else None
    return Shown(wide, Shrinking(kind, settings, weight), by, cells)


def _patch(size: int) -> Float | None:
    """(n, ROOM + n) greys of the middle of the sidebar's picture; None with the sentence where it cannot be read."""
    picture = on_screen()
    if picture is None:
        return None
    cells = size + ROOM
    side = max(cells, min(picture.pixels.shape[:2]) // 4)
    return patch_of(picture.pixels, side, 0.5, 0.5, cells, grey=True)[0, ROOM // 2 : ROOM // 2 + size]


def _windows(kind: Kind, size: int) -> Pooling:
    """The sliders, each as far as the others leave room, and sentences about what stops them."""
    if kind == "global":
        st.caption(
            _("One window as large as the input: there is nothing to set. A classifier ends like this, whatever the size.")
        )
        return Pooling((size, size), (1, 1))
    stops: list[str] = []
    left, right = two_columns()
    with left:
        most = min(5, size)
        if most < 5:
            stops.append(_("The window has to fit into {n} cells.", n=size))
        kernel = number_setting("k", _("Window"), 1, most, 2, help=_("Cells along each side of the window."), why="".join(stops))
    with right:
        stride = number_setting("s", _("Stride"), 1, 4, 2, help=_("Cells by which the window moves on."))
    left, right = two_columns()
    with left:
        padding = _padding(kind, kernel, stops)
    with right:
        dilation = _dilation(kind, kernel, size, stops)
    ceil_mode, counts = _rounding(kind, padding, stops)
    reasons(stops)
    return Pooling((kernel,) * 2, (stride,) * 2, (padding,) * 2, (dilation,) * 2, ceil_mode, counts)


def _padding(kind: Kind, kernel: int, stops: list[str]) -> int:
    why = _("Padding is half of the window at most: beyond it, a window could see nothing else.")
    stops.append("" if kind == "strided" else why)
    most = 2 if kind == "strided" else kernel // 2
    words = _("Cells around the input: −∞ for a maximum, so that they never win, 0 otherwise.")
    return number_setting("p", _("Padding"), 0, most, 0, help=words, why=why)


def _dilation(kind: Kind, kernel: int, size: int, stops: list[str]) -> int:
    most = 1 if kernel == 1 or kind == "average" else min(3, (size - 1) // (kernel - 1))
    why = ""
    if kind == "average":
        why = _("An average has no dilation.")
    elif kernel == 1:
        why = _("A window of one cell has no gaps to widen.")
    elif most < 3:
        why = _(
            "With a dilation of {d} the window would span {span} of {n} cells.", d=most + 1, span=extent(kernel, most + 1), n=size
        )
    stops.append(why)
    return number_setting("d", _("Dilation"), 1, most, 1, help=_("Distance between the cells that a window looks at."), why=why)


def _rounding(kind: Kind, padding: int, stops: list[str]) -> tuple[bool, bool]:
    """Ceil mode, and whether an average divides by padding."""
    if kind == "strided":
        stops.append(_("A convolution has no ceil mode: its kernel always stays inside of the padding."))
    ceil_mode = switch_setting("ceil", _("Ceil mode"), disabled=kind == "strided", help=_(
        "Rounds the number of windows up instead of down: the last ones stick out, and what lies out there is "
        "not counted."))  # fmt: skip
    if kind != "average":
        return ceil_mode, True
    if not padding:
        stops.append(_("Without padding there is none to count."))
    counts = switch_setting("pad", _("Count padding"), True, disabled=not padding, help=_(
        "Whether the mean of a window divides by its padding as well (count_include_pad). Then cells at the border get "
        "smaller."))  # fmt: skip
    return ceil_mode, counts or not padding


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

    theatre(scene, "layers_theatre", label=_("Pooling, window by window"), covered=covered, autoplay=not shown.by,
            editable=(0,) if shown.cells else (), on_edit=edited)  # fmt: skip


def _question(top: st.delta_generator.DeltaGenerator, shown: Shown, scene: Scene) -> bool:
    if shown.by:
        before, after = (shrunk(image, shown.layer) for image in moved(shown.wide, shown.by, ROOM))
        changed = int((np.abs(before - after) > SAME).sum())
        share = "none" if not changed else "all" if changed == before.size else "some"
        choices = {"none": _("None"), "some": _("Some"), "all": _("All")}
        return asked(top, _("How many outputs change when the picture moves?"), choices, share,
                     _("{n} of {all} have another value at their place.", n=changed, all=before.size))  # fmt: skip
    right = scene.grids[1].values.shape[0]
    settings, size = shown.layer.windows_on(shown.image), shown.image.shape[0]
    rounded = pooled_size(size, settings.kernel[0], settings.stride[0], settings.padding[0], settings.dilation[0],
                          not settings.ceil_mode)  # fmt: skip
    options = sorted({right, rounded, right + 1, max(1, size // settings.stride[0])})
    choices = {str(n): f"{n} × {n}" for n in options}
    return asked(top, _("How large will the output be?"), choices, str(right), scene.formula)


def _compare(shown: Shown) -> None:
    """The same move for each kind of layer with these windows, and for a move by a whole stride."""
    settings = replace(shown.layer.settings, dilation=(1, 1))
    if shown.layer.kind == "global":
        settings = Pooling((2, 2), (2, 2))
    layers = {_("Maximum"): Shrinking("max", replace(settings, padding=(0, 0))),
              _("Average"): Shrinking("average", replace(settings, padding=(0, 0))),
              _("Strided convolution"): Shrinking("strided", replace(settings, padding=(0, 0)),
                                                  plain_kernel((1, 1, *settings.kernel))[0, 0])}  # fmt: skip
    rows = [f"| {title} | {_changes(shown.wide, layer, shown.by)} |" for title, layer in layers.items()]
    window, stride = settings.kernel[0], settings.stride[0]
    head = _("Window {k}, stride {s}, no padding: outputs that changed", k=window, s=stride)
    st.markdown("\n".join((f"| {_('Layer')} | {head} |", "|---|---|", *rows)))
    st.caption(_("A move by {s}, a whole stride, shifts the output by exactly one cell; what happens in between is not a shift "
                 "of the output at all. That is why networks with strides are not quite indifferent to small moves.", s=stride)
               if stride > 1 else _("With stride 1 every move of the picture is the same move of the output."))  # fmt: skip


def _changes(wide: Float, layer: Shrinking, by: int) -> str:
    before, after = (shrunk(image, layer) for image in moved(wide, by, ROOM))
    changed = np.abs(before - after) > SAME
    return _(
        "{n} of {all}, by {mean} on average", n=int(changed.sum()), all=changed.size, mean=f"{np.abs(before - after).mean():.2g}"
    )


def _explain() -> None:
    text = _(
        "**Maximum** asks whether something is there, **average** how much of it. Both see one channel at a time and have no "
        "weights; a **strided convolution** learns how to shrink, mixes channels and costs parameters. **Global average** "
        "pooling makes one number of each channel.\n\n"
        "The size rounds down: cells at the right and at the bottom that fill no window are never looked at. **Ceil mode** "
        "rounds up instead. PyTorch leaves a last window out if it would start behind the input.\n\n"
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

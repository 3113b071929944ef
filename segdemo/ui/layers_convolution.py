"""The Convolution view: a kernel slides over cells, and every sum can be read."""

from typing import Literal

import numpy as np
import streamlit as st

from segdemo.layerlab.convolution import convolve, inputs_of, pad
from segdemo.layerlab.convolution_scene import convolution_scene
from segdemo.layerlab.scene import Scene
from segdemo.layerlab.sizes import convolved_size
from segdemo.text import _
from segdemo.ui.layers_convolution_sources import Shown, numbers_shown, on_network, on_picture
from segdemo.ui.layers_frame import asked, explain, framed, introduce, theatre
from segdemo.ui.layers_settings import choice_setting

__all__ = ["SETTINGS", "show_convolution"]

On = Literal["numbers", "picture", "network"]
SETTINGS = (
    "on", "axes", "n", "nl", "na", "mode", "kh", "kw", "kl", "ka", "sh", "sw", "sl", "sa", "ph", "pw", "pl", "pa",
    "dh", "dw", "dl", "da", "c", "cl", "ca", "f", "fl", "fa", "g", "gl", "ga", "b", "flip", "of", "x", "w", "kernel", "wk",
    "zoom", "down", "right", "filter",
)  # fmt: skip


def show_convolution() -> None:
    """Two sentences, the theatre with its controls, the question, and the explanation."""
    introduce(_("A kernel slides over the input: each cell under it is multiplied by its weight, and the products add up to one "
                "cell of the output. The same few weights are used everywhere."))  # fmt: skip
    frame = framed()
    with frame.top:
        on = _on()
        axes = _axes() if on == "numbers" else 2
    with frame.side:
        shown = numbers_shown(axes) if on == "numbers" else on_picture() if on == "picture" else on_network()
    if shown is None:
        return
    with frame.place:
        scene = convolution_scene(shown.image, shown.weight, shown.bias, shown.settings, picture=shown.picture)
        covered = _question(frame.top, shown, scene)
        _draw(shown, scene, covered)
    _explain()


def _on() -> On:
    words: dict[On, str] = {"numbers": _("Numbers"), "picture": _("Picture"), "network": _("First layer")}
    return choice_setting("on", _("Shown on"), words, "numbers", compact=True, hide_label=True, help=_(
        "Small numbers to follow by hand, a patch of the sidebar's picture, or the first layer of its network."))  # fmt: skip


def _axes() -> int:
    words = {"1": _("1-D"), "2": _("2-D"), "3": _("3-D")}
    return int(choice_setting("axes", _("Axes"), words, "2", compact=True, hide_label=True, help=_(
        "A signal, a picture, a volume: the same sum with another axis.")))  # fmt: skip


def _draw(shown: Shown, scene: Scene, covered: bool) -> None:
    inputs = len(shown.image)
    kernels = range(inputs, scene.target)
    flat = shown.image.ndim < 4  # a volume's padded slices are grids as well: nothing of it is typed
    editable = [*range(inputs if shown.cells and flat else 0), *(kernels if shown.kernel and flat else ())]

    def edited(grid: int, row: int, column: int, value: float) -> None:
        cells, padding = (shown.cells, (0, *shown.settings.padding)[-2:]) if grid < inputs else (shown.kernel, (0, 0))
        if cells:
            block = np.unravel_index(grid if grid < inputs else grid - inputs, cells.values.shape[: 1 if grid < inputs else 2])
            place = (row - padding[0], column - padding[1])[-(shown.image.ndim - 1) :]
            cells.type_over((*map(int, block), *place), value)

    theatre(scene, label=_("A convolution, cell by cell"), covered=covered, editable=editable, on_edit=edited)
    if shown.note:
        st.caption(shown.note)


# ---- the question and the explanation -----------------------------------------------------------------------------------------


def _question(top: st.delta_generator.DeltaGenerator, shown: Shown, scene: Scene) -> bool:
    """How large the output will be; True while it has to stay hidden."""
    settings, sizes = shown.settings, shown.image.shape[1:]
    kernel = shown.weight.shape[2:]
    moves = list(zip(sizes, kernel, settings.stride, settings.padding, settings.dilation, strict=True))
    right = tuple(convolved_size(*move) for move in moves)
    wrong = [tuple(max(1, convolved_size(n, k, s, 0, d)) for n, k, s, _p, d in moves),
             tuple(max(1, convolved_size(n, k, 1, p, d)) for n, k, _s, p, d in moves), sizes,
             tuple(size + 1 for size in right)]  # fmt: skip
    options = sorted({right, *list(dict.fromkeys(w for w in wrong if w != right))[:2]})
    choices = {"x".join(map(str, option)): " × ".join(map(str, option)) for option in options}
    why = scene.formula.replace("\n", "; ")
    return asked(top, _("How large will the output be?"), choices, "x".join(map(str, right)), why)


def _explain() -> None:
    text = _(
        "**Padding** puts cells around the input, so that the kernel can stand on its edge. **Stride** makes it jump: the output "
        "gets smaller. **Dilation** spreads its weights out: it sees further with the same number of them. With several "
        "**channels** a filter has a slice for each, and all products are added up; **groups** let a filter see only some of the "
        "channels.\n\nA layer with c input channels, f filters and a k×k kernel has f·c·k·k / groups weights, and f more with a "
        "bias, however large the picture is."
    )
    formulas = (
        r"y_{f,i,j} = b_f + \sum_{c}\sum_{u,v} w_{f,c,u,v}\; x_{c,\; s i + d u - p,\; s j + d v - p}",
        r"\text{size} = \left\lfloor \frac{n + 2p - d\,(k-1) - 1}{s} \right\rfloor + 1",
    )
    papers = (
        ("Dumoulin, Visin: A guide to convolution arithmetic for deep learning, 2016", "https://arxiv.org/abs/1603.07285"),
        ("Yu, Koltun: Multi-Scale Context Aggregation by Dilated Convolutions, ICLR 2016", "https://arxiv.org/abs/1511.07122"),
    )
    explain(text, formulas, papers, (convolve, inputs_of, pad))

"""The Up-sampling view: one small map through every method that makes it larger, beside each other and one by one."""

import numpy as np
import streamlit as st

from segdemo.layerlab.scene import Scene
from segdemo.layerlab.sizes import transposed_size
from segdemo.layerlab.transposed import scatter, stretch, stretched_convolution, turned
from segdemo.layerlab.transposed_scene import everything_scene, scatter_scene, stretch_scene
from segdemo.layerlab.unpooling import max_unpool
from segdemo.layerlab.upsampling import bilinear, linear_weights, nearest, nearest_source, pixel_shuffle, shuffle_source
from segdemo.layerlab.upsampling_scene import bilinear_scene, channel_weights, nearest_scene, shuffle_scene, unpooling_scene
from segdemo.text import _
from segdemo.ui.layers_frame import asked, explain, framed, introduce, reasons, theatre
from segdemo.ui.layers_settings import choice_setting, number_setting, switch_setting
from segdemo.ui.layers_typed import Cells, Float, pattern_setting, typed
from segdemo.ui.layers_upsampling_transposed import transposed_settings, ways_agree

__all__ = ["SETTINGS", "show_upsampling"]

SETTINGS = ("how", "n", "of", "x", "r", "alike", "way", "k", "s", "p", "op", "d", "kernel", "w")
MOST_CELLS = {"all": 12, "shuffle": 12}  # along a side of the output, so that its numbers can be read
USUAL_MOST = 16


def show_upsampling() -> None:
    """Two sentences, the theatre with its controls, what the method does, and the explanation."""
    introduce(_("A decoder has to make small maps large again. Here is the same map through every way to do it: some copy or "
                "mix, one remembers where maxima were, two have learned weights."))  # fmt: skip
    frame = framed()
    with frame.top:
        method = _method()
    with frame.side:
        size = number_setting("n", _("Map size"), 2, 5, 3, help=_("Cells along each side of the small map."))
        _chosen, numbers = pattern_setting((1, size, size), _("Shown on"), to_nine=True)
        image = typed("x", numbers[0])
        scene, note, kernel = _transposed(image.values) if method == "transposed" else _by_factor(method, image.values)
    with frame.place:
        covered = _question(frame.top, method, scene)
        _draw(scene, method, image, kernel, covered)
        st.caption(note)
    _explain()


def _method() -> str:
    words = {"all": _("All"), "nearest": _("Nearest"), "bilinear": _("Bilinear"), "unpool": _("Unpool"),
             "transposed": _("Transposed"), "shuffle": _("Shuffle")}  # fmt: skip
    return choice_setting("how", _("Method"), words, "all", compact=True, hide_label=True, help=_(
        "How the map gets larger. All: side by side; a cell of the map lights what it feeds everywhere."))  # fmt: skip


# ---- methods with a whole factor -----------------------------------------------------------------------------------------------


def _by_factor(method: str, image: Float) -> tuple[Scene, str, Cells | None]:
    size, most_cells = len(image), MOST_CELLS.get(method, USUAL_MOST)
    most = max(2, min(4, most_cells // size))
    why = _("Beyond {n} cells a side their numbers could not be read.", n=most_cells) if most < 4 else ""
    factor = number_setting("r", _("Times as large"), 2, most, 2, help=_("The factor for height and width."), why=why)
    alike = False
    if method in ("all", "shuffle"):
        alike = switch_setting("alike", _("Alike channels"), help=_(
            "Pixel shuffle on channels that are all the same map, as ICNR starts a network: then it is nearest. Otherwise they "
            "are the map times 1, ½ or 1½, as an untrained network's differ."))  # fmt: skip
    reasons([why])
    if method == "all":
        return everything_scene(image, factor, alike), _(
            "The transposed convolution starts as FCN's does, with bilinear weights: inside it equals bilinear, at the border "
            "it gets darker, for there no neighbour adds its share."), None  # fmt: skip
    if method == "shuffle":
        return shuffle_scene(image, factor, channel_weights(factor, alike)), _(
            "A convolution before it makes r² channels; their cells are dealt out to blocks of r × r. Where channels differ "
            "for no reason, a checkerboard appears."), None  # fmt: skip
    if method == "bilinear":
        return bilinear_scene(image, factor), _bilinear_note(), None
    if method == "unpool":
        return unpooling_scene(image, factor), _unpool_note(), None
    note = _("Every cell is copied into a block. Nothing is learned, and nothing is uneven.")
    return nearest_scene(image, factor), note, None


def _bilinear_note() -> str:
    return _(
        "Edges aligned: cells are squares, and both pictures have the same outline. Corners aligned (align_corners=True): the "
        "middles of the outermost cells coincide, so that the steps in between depend on the size. Mixing both shifts masks by "
        "part of a pixel."
    )


def _unpool_note() -> str:
    return _(
        "The encoder remembers where each maximum was (the corners that are marked, called switches). Values return there, all "
        "else is zero; the convolutions behind it fill the gaps. SegNet's decoder does this: edges come back in the right place."
    )


# ---- transposed convolution ----------------------------------------------------------------------------------------------------


def _transposed(image: Float) -> tuple[Scene, str, Cells | None]:
    ways = {"scatter": _("Scattered"), "stretch": _("Stretched")}
    way = choice_setting("way", _("Seen as"), ways, "scatter", compact=True, help=_(
        "Every cell lays its multiple of the kernel over the output; or an ordinary convolution slides over the map with zeros "
        "between."))  # fmt: skip
    kernel, settings = transposed_settings(len(image))
    drawn = scatter_scene if way == "scatter" else stretch_scene
    scene = drawn(image, kernel.values, settings)
    return scene, ways_agree(image, kernel.values, settings), kernel if way == "scatter" else None


# ---- the theatre ---------------------------------------------------------------------------------------------------------------


def _draw(scene: Scene, method: str, image: Cells, kernel: Cells | None, covered: bool) -> None:
    def edited(grid: int, row: int, column: int, value: float) -> None:
        (kernel if kernel is not None and grid == 1 else image).type_over((row, column), value)

    editable = (1,) if method == "unpool" else (0,) if kernel is None else (0, 1)
    theatre(scene, "layers_theatre", label=_("A small map gets larger"), covered=covered, editable=editable, on_edit=edited)


def _question(top: st.delta_generator.DeltaGenerator, method: str, scene: Scene) -> bool:
    output = scene.grids[scene.target]
    if method == "unpool":
        filled, all_cells = len(scene.grids[1].values) ** 2, output.values.size
        choices = {str(n): str(n) for n in sorted({filled, all_cells, all_cells // 2})}
        return asked(top, _("How many cells of the output get a value?"), choices, str(filled),
                     _("One for each cell of the map; the other {n} stay zero.", n=all_cells - filled))  # fmt: skip
    cut = np.zeros(output.values.shape, np.bool_) if output.border is None else output.border
    size = int((~cut).any(axis=1).sum())
    choices = {str(n): f"{n} × {n}" for n in sorted({size, max(1, size - 1), size + 2})}
    return asked(top, _("How large will the output be?"), choices, str(size), scene.formula)


def _explain() -> None:
    text = _(
        "**Nearest** and **bilinear** have no weights; a convolution usually follows. **Max-unpooling** needs the switches of "
        "the encoder's pooling and leaves zeros. A **transposed convolution** learns its kernel: it is the gradient of a "
        "convolution with the same settings, and no inverse of it; where its stride does not divide its kernel, cells are "
        "covered unevenly (see Checkerboard). **Pixel shuffle** is a convolution at the small size whose r² channels become "
        "places.\n\n"
        "**Output padding** says which of several input sizes is meant: a convolution with stride 2 makes 3 cells of 5 and of 6. "
        "It adds cells at the end; it is no padding with zeros."
    )
    formulas = (
        r"\text{bilinear:}\quad i' = \left(i + \tfrac12\right)\tfrac{n}{m} - \tfrac12 \quad\text{or}\quad i\,\tfrac{n - 1}{m - "
        r"1}",
        r"\text{transposed:}\quad y_{f,\; s i + d u - p} \mathrel{+}= x_{c,i}\, w_{c,f,u}",
        r"\text{size} = (n - 1)\,s - 2p + d\,(k - 1) + 1 + \text{output padding}",
        r"\text{unpooling:}\quad (n - 1)\,s - 2p + k, \qquad \text{shuffle:}\quad C r^2 \times h \times w \to C \times h r "
        r"\times w r",
    )
    papers = (
        ("Dumoulin, Visin: A guide to convolution arithmetic for deep learning, 2016", "https://arxiv.org/abs/1603.07285"),
        ("Long, Shelhamer, Darrell: Fully Convolutional Networks (bilinear start), CVPR 2015", "https://arxiv.org/abs/1411.4038"),
        ("Badrinarayanan, Kendall, Cipolla: SegNet (switches), 2017", "https://arxiv.org/abs/1511.00561"),
        ("Shi et al.: Sub-Pixel Convolutional Neural Network (pixel shuffle), CVPR 2016", "https://arxiv.org/abs/1609.05158"),
        ("Aitken et al.: Checkerboard artifact free sub-pixel convolution (ICNR), 2017", "https://arxiv.org/abs/1707.02937"),
    )
    explain(text, formulas, papers, (
        nearest_source, nearest, linear_weights, bilinear, shuffle_source, pixel_shuffle, max_unpool,
        transposed_size, scatter, stretch, turned, stretched_convolution,
    ))  # fmt: skip

"""The view of 1×1 convolution: channels mixed at a pixel, what blocks cost, and the residual block."""

from collections.abc import Callable
from typing import Literal

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from segdemo.layerlab.mixing import COLOUR_MIXES, as_columns, mix, mixing_weights
from segdemo.layerlab.mixing_scene import mixing_scene
from segdemo.layerlab.patches import number_grid, patch_of
from segdemo.layerlab.scene import Scene, digits
from segdemo.text import _
from segdemo.ui.layers_convolution_inputs import on_screen
from segdemo.ui.layers_frame import explain, introduce, predict, theatre
from segdemo.ui.layers_mixing_counts import show_counts
from segdemo.ui.layers_mixing_residual import show_residual
from segdemo.ui.layers_parts import Part, choose_part, meaning_of_colours
from segdemo.ui.layers_settings import choice_setting, number_setting, switch_setting
from segdemo.ui.layers_typed import Cells, typed

__all__ = ["SETTINGS", "show_mixing"]

Float = NDArray[np.float64]
PATCH = 10  # cells along a side of a picture's patch
SETTINGS = (
    "part", "on", "seen", "ci", "co", "n", "bias", "x", "w", "colours", "m", "down", "right",
    "pair", "c", "size", "wide", "way", "branch", "r", "k", "depth", "slope",
)  # fmt: skip


def show_mixing() -> None:
    """The row of parts, and the chosen one."""
    titles = {"mix": _("Mix channels"), "counts": _("What blocks cost"), "residual": _("Residual")}
    part = choose_part(titles)
    shows: dict[str, Callable[[Part], None]] = {"mix": _show_mix, "counts": show_counts, "residual": show_residual}
    shows[part.name](part)


def _show_mix(part: Part) -> None:
    with part.words:
        introduce(_("A 1×1 convolution looks at one pixel and at all of its channels: a matrix turns the column of its numbers "
                    "into another. It moves nothing in the picture, and changes how many channels there are."))  # fmt: skip
    with part.side:
        words = {"numbers": _("Numbers"), "picture": _("Picture")}
        on = choice_setting("on", _("Shown on"), words, "numbers", compact=True, help=_(
            "Small numbers to follow by hand, or red, green and blue of the sidebar's picture."))  # fmt: skip
        seen = _seen() if on == "numbers" else "maps"
        found = _numbers() if on == "numbers" else _picture()
    if found is None:
        return
    cells, matrix, bias, note = found
    image, weight = cells.values, matrix.values
    picture = on == "picture"
    with part.place:
        covered = part.asking and _question(image, weight, bias)
        names = [_("Red"), _("Green"), _("Blue")] if picture else []
        scene = mixing_scene(image, weight, bias, seen=seen, names=names, picture=picture)
        first_weight = next(i for i, grid in enumerate(scene.grids) if grid.key == "weights")
        inputs = [] if picture else [i for i, grid in enumerate(scene.grids) if grid.key.startswith("input")]

        def edited(grid: int, row: int, column: int, value: float) -> None:
            if grid == first_weight:
                matrix.type_over((row, column), value)
            else:  # as a matrix, a row is a channel and a column a pixel
                cells.type_over((grid, row, column) if seen == "maps" else (row, *divmod(column, image.shape[-1])), value)

        theatre(scene, label=_("A 1×1 convolution, cell by cell"), covered=covered,
                editable=[*inputs, first_weight], on_edit=edited)  # fmt: skip
        if not covered:
            st.caption(" ".join(filter(None, (note, _colours(scene)))))
    if not covered:
        _explain()


def _colours(scene: Scene) -> str:
    """What the colours of the cells mean, in the order in which they are met."""
    kinds = dict.fromkeys(grid.kind for grid in scene.grids)
    return " ".join(meaning_of_colours(kind) for kind in kinds if kind != "plain")


def _seen() -> Literal["maps", "matrix"]:
    words = {"maps": _("Channel maps"), "matrix": _("One matrix product")}
    chosen = choice_setting("seen", _("Written as"), words, "maps", help=_(
        "The same numbers: one map per channel, or with every pixel as a column, so that the layer is one product."))  # fmt: skip
    return "matrix" if chosen == "matrix" else "maps"


def _numbers() -> tuple[Cells, Cells, Float | None, str]:
    channels = number_setting("ci", _("Input channels"), 1, 6, 4, help=_("Numbers at every pixel before the layer."))
    filters = number_setting("co", _("Output channels"), 1, 6, 2, help=_("Numbers at every pixel after it: rows of the matrix."))
    size = number_setting(
        "n", _("Height and width"), 1, 4, 3, help=_("Pixels along each side. The number of weights stays the same.")
    )
    bias = switch_setting("bias", _("Bias"), help=_("A number added to each output channel at every pixel."))
    image = typed("x", number_grid("digits", (channels, size, size), seed=2))
    weight = typed("w", mixing_weights(filters, channels))
    return image, weight, np.arange(1.0, filters + 1) if bias else None, ""


def _picture() -> tuple[Cells, Cells, Float | None, str] | None:
    picture = on_screen()
    if picture is None:
        return None
    known = {name: _(colours.title) for name, colours in COLOUR_MIXES.items()}
    name = choice_setting("colours", _("Weights"), known, "grey", clears=("m",), help=_("Well-known mixes of colours."))
    chosen = COLOUR_MIXES[name]
    down = number_setting("down", _("From the top, %"), 0, 100, 50, help=_("Moves the patch down."))
    right = number_setting("right", _("From the left, %"), 0, 100, 50, help=_("Moves the patch to the right."))
    side = min(picture.pixels.shape[:2]) // 3
    image = patch_of(picture.pixels, max(PATCH, side), down / 100, right / 100, PATCH, grey=False)
    weight = typed("m", np.array(chosen.rows, np.float64))
    grey = (
        " " + _("All three channels of this picture are the same here: it is grey.") if np.ptp(image, axis=0).max() < 0.01 else ""
    )
    note = _("Your own weights.") if weight.own else f"**{_(chosen.title)}**: {_(chosen.meaning)}"
    return Cells("", image, image), weight, None, note + grey


def _question(image: Float, weight: Float, bias: Float | None) -> bool:
    """What comes out at the first pixel; True while it has to stay hidden."""
    column, row = image[:, 0, 0], weight[0]
    right = float(mix(image, weight, bias)[0, 0, 0])
    step = 1 if right.is_integer() else 0.1
    wrong = [float(column.sum()), float(column[0] * row[0]), right + step, right - 2 * step]
    values = {digits(value, brackets=False): value for value in [right, *wrong]}
    choices = {text: text for text in sorted([*values][:3], key=values.__getitem__)}
    products = " + ".join(f"{digits(float(value))}·{digits(float(w))}" for value, w in zip(column, row, strict=True))
    why = f"{products}{'' if bias is None else f' + {digits(float(bias[0]))}'} = {digits(right, brackets=False)}"
    return predict(_("What is the upper left cell of output channel 0?"), choices, digits(right, brackets=False), why)


def _explain() -> None:
    text = _(
        "A **3×3 convolution** does two things at once: it looks around, and it mixes channels. A **1×1 convolution** only "
        "mixes. It is a linear layer with the same weights at every pixel, and with an activation after it a small network at "
        "every pixel.\n\n"
        "It is used to make **fewer channels** before something expensive (bottlenecks), **more** of them after it, to bring "
        "two branches to the same number of channels before they are added, and as the **last layer of a segmentation network**: "
        "from 64 channels to one score per class, at every pixel. A **depthwise** convolution followed by a 1×1 one does the two "
        "things one after the other, with far fewer weights."
    )
    formulas = (
        r"y_{f,i,j} = b_f + \sum_{c} w_{f,c}\, x_{c,i,j}",
        r"Y = W X, \quad X \in \mathbb{R}^{C \times HW},\; W \in \mathbb{R}^{F \times C}",
        r"\text{weights} = C \cdot F \;(+\, F)",
    )
    papers = (("Lin, Chen, Yan: Network In Network, ICLR 2014", "https://arxiv.org/abs/1312.4400"),
              ("Szegedy et al.: Going Deeper with Convolutions, CVPR 2015", "https://arxiv.org/abs/1409.4842"))  # fmt: skip
    explain(text, formulas, papers, (mix, as_columns))

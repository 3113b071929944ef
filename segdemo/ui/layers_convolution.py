"""The Convolution view: a kernel slides over cells, and every sum can be read."""

from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

from segdemo.data import Picture
from segdemo.errors import SegdemoError
from segdemo.layerlab.convolution import MOST_TAPS, Arithmetic, Float, convolve, inputs_of, pad, tap_count
from segdemo.layerlab.convolution_scene import convolution_scene
from segdemo.layerlab.patches import KERNELS, plain_kernel
from segdemo.layerlab.scene import Scene
from segdemo.layerlab.sizes import convolved_size
from segdemo.text import _
from segdemo.ui.fetching import offer_download
from segdemo.ui.layers_convolution_inputs import (
    FirstLayer,
    channels_of,
    first_layer,
    known_words,
    network_patch,
    on_screen,
    one_filter,
    picture_patch,
    side_of,
    usual_place,
)  # fmt: skip
from segdemo.ui.layers_convolution_settings import axis_letter, movement, shape_of_channels
from segdemo.ui.layers_frame import asked, explain, framed, introduce, theatre
from segdemo.ui.layers_settings import choice_setting, number_setting
from segdemo.ui.layers_typed import Cells, pattern_setting, typed
from segdemo.ui.state import chosen_weights
from segdemo.weights import is_present

__all__ = ["SETTINGS", "show_convolution"]

SETTINGS = (
    "on", "axes", "n", "nw", "na", "mode", "kh", "kw", "ka", "sh", "sw", "sa", "ph", "pw", "pa", "dh", "dw", "da",
    "c", "cw", "ca", "f", "fw", "fa", "g", "gw", "ga", "b", "flip", "of", "x", "w", "kernel", "wk", "zoom", "down", "right",
    "filter",
)  # fmt: skip
NETWORK_SIDE = 12  # cells of the patch that a network's first layer is shown on
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


def show_convolution() -> None:
    """Two sentences, the theatre with its controls, the question, and the explanation."""
    introduce(_("A kernel slides over the input: the cells under it, times its weights, add up to one cell of the output. "
                "The same few weights are used everywhere."))  # fmt: skip
    frame = framed()
    with frame.top:
        on = _on()
        axes = _axes() if on == "numbers" else 2
    with frame.side:
        shown = _numbers(axes) if on == "numbers" else _on_picture() if on == "picture" else _on_network()
    if shown is None:
        return
    with frame.place:
        scene = convolution_scene(shown.image, shown.weight, shown.bias, shown.settings, picture=shown.picture)
        covered = _question(frame.top, shown, scene)
        _draw(shown, scene, covered)
    _explain()


def _on() -> str:
    words = {"numbers": _("Numbers"), "picture": _("Picture"), "network": _("First layer")}
    return choice_setting("on", _("Shown on"), words, "numbers", compact=True, hide_label=True, help=_(
        "Small numbers to calculate along, a patch of the sidebar's picture, or what its network does first."))  # fmt: skip


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

    theatre(scene, "layers_theatre", label=_("A convolution, cell by cell"), covered=covered, editable=editable, on_edit=edited)
    if shown.note:
        st.caption(shown.note)


# ---- numbers ------------------------------------------------------------------------------------------------------------------


def _axes() -> int:
    words = {"1": _("1-D"), "2": _("2-D"), "3": _("3-D")}
    return int(choice_setting("axes", _("Axes"), words, "2", compact=True, hide_label=True, help=_(
        "A signal, a picture, a volume: the same sum with another axis.")))  # fmt: skip


def _numbers(axes: int) -> Shown:
    low, high, default = {1: (3, 16, 9), 2: (3, 9, 5), 3: (2, 4, 3)}[axes]
    name = f"n{axis_letter(axes)}"
    size = number_setting(name, _("Input size"), low, high, default, help=_("Cells along each axis of the input."))
    sizes = (size,) * axes
    kernel, settings = movement(sizes, None)
    channels, filters, groups, bias, flipped = shape_of_channels(axes, tap_count((1, *sizes), (1, 1, *kernel), settings))
    settings = replace(settings, groups=groups, flipped=flipped)
    _pattern, numbers = pattern_setting((channels, *sizes), _("Input of"))
    cells = typed("x", numbers)
    weight = typed("w", plain_kernel((filters, channels // groups, *kernel)))
    biases = np.arange(1.0, filters + 1) if bias else None
    return Shown(cells.values, weight.values, biases, settings, picture=False, cells=cells, kernel=weight)


# ---- a picture ----------------------------------------------------------------------------------------------------------------


def _on_picture() -> Shown | None:
    picture = on_screen()
    if picture is None:
        return None
    names = {name: _(kernel.title) for name, kernel in KERNELS.items()}
    name = choice_setting("kernel", _("Kernel"), names, "sobel_x", clears=("wk",), help=_("Weights that are known by name."))
    known = KERNELS[name]
    side, down, right = _place(picture, None)
    image = picture_patch(picture, side, down, right)
    _size, settings = movement(image.shape[1:], (3, 3))
    weight = typed("wk", known.values[None, None])
    note = _("Kernel of your own.") if weight.own else f"**{_(known.title)}**: {_(known.meaning)}"
    return Shown(image, weight.values, None, settings, picture=True, kernel=weight, note=note)


def _place(picture: Picture, side: int | None) -> tuple[int, int, int]:
    """Side of the patch in pixels, and its place in percent from the top and the left. side: where it cannot be chosen."""
    with st.popover(_("Which patch"), icon=":material/crop_free:", width="stretch"):
        if side is None:
            zoom = choice_setting("zoom", _("Of the picture"), known_words(), "4", help=_(
                "How much of the shorter side the 16 cells span: each is the mean of the pixels it covers."))  # fmt: skip
            side = side_of(picture, zoom)
        usual = usual_place(picture.sha256, side, picture)
        down = number_setting("down", _("From the top, %"), 0, 100, usual[0], help=_("Moves the patch down."))
        right = number_setting("right", _("From the left, %"), 0, 100, usual[1], help=_("Moves the patch to the right."))
    return side, down, right


# ---- a network ----------------------------------------------------------------------------------------------------------------


def _on_network() -> Shown | None:
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
        st.info(_("This network's first layer is no convolution that could be shown here."), icon=":material/info:")
        return None
    number = number_setting(
        "filter", _("Filter"), 0, len(layer.weight) - 1, 0, help=_("Which of the layer's filters. Each makes one output channel.")
    )
    _side, down, right = _place(picture, NETWORK_SIDE)
    image = network_patch(picture, entry.weights_id, NETWORK_SIDE, down, right)[channels_of(layer, number)]
    chosen, cut = _drawn(one_filter(layer, number), image)
    filters, channels, height, width = layer.weight.shape
    note = _("`{name}` of {id}: {filters} filters of {h}×{w} weights on each of {channels} channels, stride {stride}, padding "
             "{padding}. The input is what the network is given: {side}×{side} pixels of the picture, normalised.",
             name=layer.name, id=entry.weights_id, filters=filters, channels=channels, h=height, w=width,
             stride=layer.settings.stride[0], padding=layer.settings.padding[0], side=image.shape[-1])  # fmt: skip
    return Shown(image, chosen.weight, chosen.bias, chosen.settings, picture=True, note=f"{note} {cut}".strip())


def _drawn(layer: FirstLayer, image: Float) -> tuple[FirstLayer, str]:
    """The layer with as much of its padding as touches the picture, where all of it would be too much, and a sentence then.

    FCN's first layer pads by 100: far outside, every output cell is only the bias.
    """
    if tap_count(image.shape, layer.weight.shape, layer.settings) <= MOST_TAPS:
        return layer, ""
    reach = tuple(min(p, d * (k - 1)) for p, d, k in zip(
        layer.settings.padding, layer.settings.dilation, layer.weight.shape[2:], strict=True))  # fmt: skip
    words = _("Of its padding {p} is drawn: beyond it, no weight meets the picture.", p=reach[0])
    return replace(layer, settings=replace(layer.settings, padding=reach)), words


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
        "**Padding** puts cells around the input, so that the kernel can stand on its edge. **Stride** lets it jump: the output "
        "gets smaller. **Dilation** spreads its weights out: it sees further with as many of them. With several **channels** a "
        "filter has a slice for each, and all products are added up; **groups** let a filter see some of the channels only.\n\n"
        "A layer with c input channels, f filters and a k×k kernel has f·c·k·k / groups weights, and with a bias f more, however "
        "large the picture is."
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

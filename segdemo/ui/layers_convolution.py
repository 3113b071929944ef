"""The Convolution view: a kernel slides over cells, and every sum can be read."""

from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

from segdemo.data import Picture
from segdemo.errors import SegdemoError
from segdemo.layerlab.convolution import Arithmetic, Float, convolve, inputs_of, output_size, pad
from segdemo.layerlab.convolution_scene import convolution_scene
from segdemo.layerlab.patches import KERNELS, NUMBERS, number_grid, plain_kernel
from segdemo.layerlab.scene import Scene
from segdemo.text import _
from segdemo.ui.fetching import offer_download
from segdemo.ui.layers_convolution_inputs import (
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
from segdemo.ui.layers_convolution_settings import movement, shape_of_channels
from segdemo.ui.layers_frame import explain, introduce, link_to_view, predict, stage_and_side, theatre, wants_to_predict
from segdemo.ui.layers_settings import choice_setting, keep, number_setting, parse_numbers, setting, write_numbers
from segdemo.ui.state import chosen_weights
from segdemo.weights import is_present

__all__ = ["show_convolution"]

LARGEST_TYPED = 99
NOTHING: tuple[float, ...] = ()
NETWORK_SIDE = 12  # cells of the patch that a network's first layer is shown on
MOST_WEIGHTS_OF_A_FILTER = 12 * 49


@dataclass(frozen=True)
class Shown:
    """What is convolved, and whether its numbers can be typed over."""

    image: Float
    weight: Float
    bias: Float | None
    settings: Arithmetic
    picture: bool
    editable: bool
    note: str = ""


def show_convolution() -> None:
    """Two sentences, the theatre with its controls, the question, and the explanation."""
    introduce(_("A kernel slides over the input: the cells under it, times its weights, add up to one cell of the output. "
                "The same few weights are used everywhere."))  # fmt: skip
    stage, side = stage_and_side()
    with stage:
        top = st.container(horizontal=True, vertical_alignment="center", gap="small")
        place = st.container()
    with top:
        on = _on()
        axes = _axes() if on == "numbers" else 2
    with side:
        shown = _numbers(axes) if on == "numbers" else _on_picture() if on == "picture" else _on_network()
    if shown is None:
        return
    with place:
        scene = convolution_scene(shown.image, shown.weight, shown.bias, shown.settings, picture=shown.picture)
        covered = _question(top, shown, scene)
        _draw(shown, scene, covered)
    _explain()


def _on() -> str:
    words = {"numbers": _("Numbers"), "picture": _("Picture"), "network": _("First layer")}
    return choice_setting("on", _("Shown on"), words, "numbers", compact=True, hide_label=True, help=_(
        "Small numbers to calculate along, a patch of the sidebar's picture, or what its network does first."))  # fmt: skip


def _draw(shown: Shown, scene: Scene, covered: bool) -> None:
    channels, depth = len(shown.image), shown.image.shape[1] if shown.image.ndim == 4 else 1
    inputs = channels * depth
    kernels = scene.target - inputs
    editable = [*range(inputs if not shown.picture else 0), *range(inputs, inputs + kernels)] if shown.editable else []
    if shown.image.ndim == 4:
        editable = []  # a volume's padded slices are grids as well: nothing of it is typed

    def edited(grid: int, row: int, column: int, value: float) -> None:
        value = float(np.clip(value, -LARGEST_TYPED, LARGEST_TYPED))
        name, array = ("x", shown.image) if grid < inputs else ("w", shown.weight)
        changed = array.copy()
        paddings = (0, *shown.settings.padding)[-2:] if grid < inputs else (0, 0)
        flat = changed.reshape(-1, *(array.shape[-2:] if shown.image.ndim > 2 else (1, array.shape[-1])))
        flat[grid if grid < inputs else grid - inputs, row - paddings[0], column - paddings[1]] = value
        keep(name, write_numbers(changed.ravel().tolist()))

    theatre(scene, "layers_theatre", label=_("A convolution, cell by cell"), covered=covered, editable=editable, on_edit=edited)
    with st.container(horizontal=True, vertical_alignment="center"):
        link_to_view()
        if shown.note:
            st.caption(shown.note)


# ---- numbers ------------------------------------------------------------------------------------------------------------------


def _axes() -> int:
    words = {"1": _("1-D"), "2": _("2-D"), "3": _("3-D")}
    return int(choice_setting("axes", _("Axes"), words, "2", compact=True, hide_label=True, help=_(
        "A signal, a picture, a volume: the same sum with another axis.")))  # fmt: skip


def _numbers(axes: int) -> Shown:
    low, high, default = {1: (3, 16, 9), 2: (3, 9, 5), 3: (2, 4, 3)}[axes]
    size = number_setting("n", _("Input size"), low, high, default, help=_("Cells along each axis of the input."))
    sizes = (size,) * axes
    kernel, settings = movement(sizes, None)
    channels, filters, groups, bias, flipped = shape_of_channels(axes)
    settings = replace(settings, groups=groups, flipped=flipped)
    words = {"digits": _("digits"), "dot": _("a single 1"), "edge": _("an edge"), "stripes": _("stripes"), "ramp": _("a ramp")}
    pattern = choice_setting("of", _("Input of"), words, "digits", help=_("Double-click a cell to type another number."))
    image = _typed("x", number_grid(next(p for p in NUMBERS if p == pattern), (channels, *sizes)))
    weight = _typed("w", plain_kernel((filters, channels // groups, *kernel)))
    biases = np.arange(1.0, filters + 1) if bias else None
    return Shown(image, weight, biases, settings, picture=False, editable=True)


def _typed(name: str, usual: Float) -> Float:
    """The numbers that were typed over, where they are as many as there are cells now."""
    typed = setting(name, NOTHING, parse_numbers)
    return np.clip(np.array(typed), -LARGEST_TYPED, LARGEST_TYPED).reshape(usual.shape) if len(typed) == usual.size else usual


# ---- a picture ----------------------------------------------------------------------------------------------------------------


def _on_picture() -> Shown | None:
    picture = on_screen()
    if picture is None:
        return None
    names = {name: _(kernel.title) for name, kernel in KERNELS.items()}
    name = choice_setting("kernel", _("Kernel"), names, "sobel_x", help=_("Weights that are known by name."))
    known = KERNELS[name]
    side, down, right = _place(picture, None)
    image = picture_patch(picture, side, down, right)
    _size, settings = movement(image.shape[1:], (3, 3))
    weight = _typed("w", known.values[None, None])
    own = not np.array_equal(weight[0, 0], known.values)
    note = _("Kernel of your own.") if own else f"**{_(known.title)}**: {_(known.meaning)}"
    return Shown(image, weight, None, settings, picture=True, editable=True, note=note)


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
    chosen = one_filter(layer, number)
    image = network_patch(picture, entry.weights_id, NETWORK_SIDE, down, right)[channels_of(layer, number)]
    filters, channels, height, width = layer.weight.shape
    note = _("`{name}` of {id}: {filters} filters of {h}×{w} weights on each of {channels} channels, stride {stride}, padding "
             "{padding}. The input is what the network is given: {side}×{side} pixels of the picture, normalised.",
             name=layer.name, id=entry.weights_id, filters=filters, channels=channels, h=height, w=width,
             stride=layer.settings.stride[0], padding=layer.settings.padding[0], side=image.shape[-1])  # fmt: skip
    return Shown(image, chosen.weight, chosen.bias, chosen.settings, picture=True, editable=False, note=note)


# ---- the question and the explanation -----------------------------------------------------------------------------------------


def _question(top: st.delta_generator.DeltaGenerator, shown: Shown, scene: Scene) -> bool:
    """How large the output will be; True while it has to stay hidden."""
    settings, sizes = shown.settings, shown.image.shape[1:]
    kernel = shown.weight.shape[2:]
    moves = list(zip(sizes, kernel, settings.stride, settings.padding, settings.dilation, strict=True))
    right = tuple(output_size(*move) for move in moves)
    wrong = [tuple(max(1, output_size(n, k, s, 0, d)) for n, k, s, _p, d in moves),
             tuple(max(1, output_size(n, k, 1, p, d)) for n, k, _s, p, d in moves), sizes,
             tuple(size + 1 for size in right)]  # fmt: skip
    options = sorted({right, *list(dict.fromkeys(w for w in wrong if w != right))[:2]})
    choices = {"x".join(map(str, option)): " × ".join(map(str, option)) for option in options}
    with top:
        asking = wants_to_predict()
    return asking and predict(
        _("How large will the output be?"), choices, "x".join(map(str, right)), scene.formula.replace("\n", "; ")
    )


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

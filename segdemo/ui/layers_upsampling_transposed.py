"""The controls of a transposed convolution: each knows how far it can go, and that both ways to see it agree is measured."""

import numpy as np

from segdemo.layerlab.sizes import transposed_size
from segdemo.layerlab.transposed import Transposed, bilinear_kernel, scatter, stretched_convolution
from segdemo.layerlab.transposed_scene import scatter_scene, stretch_scene
from segdemo.text import _
from segdemo.ui.layers_frame import reasons, two_columns
from segdemo.ui.layers_settings import choice_setting, number_setting
from segdemo.ui.layers_typed import Cells, Float, typed
from segdemo.ui.layers_upsampling_shown import Question, Shown, size_question, unreadable

__all__ = ["USUAL_KERNEL", "USUAL_STRIDE", "by_kernel", "largest_padding"]

USUAL_KERNEL, USUAL_STRIDE = 3, 2
LARGEST_KERNEL, LARGEST_STRIDE, LARGEST_DILATION = 5, 4, 3
LARGEST_OUTPUT = 17  # cells along a side before padding cuts, so that their numbers can be read


def by_kernel(image: Cells) -> Shown:
    """A transposed convolution, seen one way or the other."""
    ways = {"scatter": _("Scattered"), "stretch": _("Stretched")}
    way = choice_setting("way", _("Seen as"), ways, "scatter", compact=True, help=_(
        "Every cell lays its multiple of the kernel over the output; or an ordinary convolution slides over the map with zeros "
        "in between."))  # fmt: skip
    kernel, settings = _transposed_settings(len(image.values))
    scene = (scatter_scene if way == "scatter" else stretch_scene)(image.values, kernel.values, settings)
    question = _question(len(image.values), len(kernel.values), settings, scene.formula)
    note = _ways_agree(image.values, kernel.values, settings)
    return Shown(scene, note, question, image, kernel if way == "scatter" else None)


def _question(size: int, kernel: int, settings: Transposed, formula: str) -> Question:
    """With sizes of those who forget padding, or how far the last kernel hangs over."""
    stride, padding, extra, dilation = settings.stride[0], settings.padding[0], settings.output_padding[0], settings.dilation[0]
    right = transposed_size(size, kernel, stride, padding, extra, dilation)
    mistaken = (size * stride, transposed_size(size, kernel, stride, 0, 0, dilation), size * stride + kernel - 1, right - 1)
    return size_question(right, mistaken, formula)


def largest_padding(size: int, kernel: int, stride: int, dilation: int) -> int:
    """The most that can be cut off a side: what the kernel hangs over, and so that a cell is left."""
    over = dilation * (kernel - 1)
    return min(over, ((size - 1) * stride + over) // 2)


def _transposed_settings(size: int) -> tuple[Cells, Transposed]:
    """Kernel (k, k) and settings for a map of `size` cells a side, from the sliders."""
    stops: list[str] = []
    left, right = two_columns()
    with left:
        kernel = number_setting("k", _("Kernel"), 1, LARGEST_KERNEL, USUAL_KERNEL, help=_("Cells along each side of the kernel."))
    with right:
        stride = _stride(size, kernel, stops)
    left, right = two_columns()
    with right:
        dilation = _dilation(size, kernel, stride, stops)
    with left:
        padding = _padding(size, kernel, stride, dilation, stops)
    extra = _output_padding(stride, dilation, stops)
    weight = _weights(kernel, stride)
    reasons(stops)
    return weight, Transposed((stride,) * 2, (padding,) * 2, (extra,) * 2, (dilation,) * 2)


def _stride(size: int, kernel: int, stops: list[str]) -> int:
    most = min(LARGEST_STRIDE, (LARGEST_OUTPUT - kernel) // (size - 1))
    why = unreadable(LARGEST_OUTPUT) if most < LARGEST_STRIDE else ""
    stops.append(why)
    return number_setting("s", _("Stride"), 1, most, USUAL_STRIDE, help=_("Distance between the kernels on the output."), why=why)


def _dilation(size: int, kernel: int, stride: int, stops: list[str]) -> int:
    room = LARGEST_OUTPUT - 1 - (size - 1) * stride
    most = 1 if kernel == 1 else min(LARGEST_DILATION, room // (kernel - 1))
    why = unreadable(LARGEST_OUTPUT) if most < LARGEST_DILATION else ""
    if kernel == 1:
        why = _("A kernel of one cell has no gaps to widen.")
    stops.append(why)
    words = _("Distance between the kernel's own cells on the output.")
    return number_setting("d", _("Dilation"), 1, most, 1, help=words, why=why)


def _padding(size: int, kernel: int, stride: int, dilation: int, stops: list[str]) -> int:
    most = largest_padding(size, kernel, stride, dilation)
    why = _("Padding cuts off at most {n} cells per side: as many as the kernels overhang.", n=most)
    stops.append(why)
    words = _("Cells cut off the output on every side. It undoes the padding of the convolution whose shapes it reverses.")
    return number_setting("p", _("Padding"), 0, most, 0, help=words, why=why)


def _output_padding(stride: int, dilation: int, stops: list[str]) -> int:
    most = max(stride, dilation) - 1
    why = _("Output padding has to be smaller than the stride or the dilation.")
    stops.append(why)
    words = _("Cells added at the right and at the bottom: which of the possible input sizes is meant.")
    return number_setting("op", _("Output padding"), 0, most, 0, help=words, why=why)


def _weights(kernel: int, stride: int) -> Cells:
    words = {"numbers": _("1, 2, 3, …"), "ones": _("all 1"), "bilinear": _("bilinear")}
    chosen = choice_setting("kernel", _("Kernel of"), words, "numbers", clears=("w",), help=_(
        "Its weights. Double-click one in the drawing to type another; bilinear is how FCN starts."))  # fmt: skip
    usual = {"numbers": np.arange(1.0, kernel**2 + 1).reshape(kernel, kernel), "ones": np.ones((kernel, kernel)),
             "bilinear": bilinear_kernel(kernel, stride)}[chosen]  # fmt: skip
    return typed("w", usual)


def _ways_agree(image: Float, kernel: Float, settings: Transposed) -> str:
    """A sentence with the largest difference between both ways, as measured on these numbers."""
    scattered = scatter(image[None], kernel[None, None], settings)[0]
    slid = stretched_convolution(image[None], kernel[None, None], settings)[0]
    difference = float(np.abs(scattered - slid).max())
    return _(
        "Both ways give the same {rows} × {columns} numbers; their largest difference here is {d}. Stretched, s − 1 = "
        "{zeros} zeros stand between neighbours and d·(k − 1) − p = {around} around, and the kernel is turned by 180°: left–"
        "right and top–bottom.",
        rows=len(scattered), columns=scattered.shape[1], d=f"{difference:.1g}", zeros=settings.stride[0] - 1,
        around=settings.dilation[0] * (len(kernel) - 1) - settings.padding[0],
    )  # fmt: skip

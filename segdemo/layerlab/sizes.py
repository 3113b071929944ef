"""How many cells a layer leaves along one axis, and the same as a formula whose numbers are named.

Terms that change nothing are left out of what is shown: with dilation 1 a kernel spans as many cells as it has weights.

Convolution, pooling and transposed convolution; everything on the page that says a size takes it from here. As `torch.nn`
documents them: Conv2d, MaxPool2d (`ceil_mode`), ConvTranspose2d.

Dumoulin and Visin, A guide to convolution arithmetic for deep learning, 2016, arXiv:1603.07285.
"""

from collections.abc import Sequence

from segdemo.text import _

__all__ = [
    "convolved_formula", "convolved_size", "each_axis", "extent", "pooled_formula", "pooled_size", "transposed_formula",
    "transposed_size",
]  # fmt: skip


def extent(kernel: int, dilation: int) -> int:
    """Cells from the first to the last that a kernel of that many weights touches: d·(k − 1) + 1."""
    return dilation * (kernel - 1) + 1


def convolved_size(size: int, kernel: int, stride: int, padding: int, dilation: int = 1) -> int:
    """Places where the kernel fits: ⌊(n + 2p − d·(k − 1) − 1) / s⌋ + 1."""
    return (size + 2 * padding - extent(kernel, dilation)) // stride + 1


def convolved_formula(size: int, kernel: int, stride: int, padding: int, dilation: int = 1) -> str:
    """`convolved_size` with its numbers: "⌊(input 6 + 2·padding 0 − kernel 3) / stride 1⌋ + 1 = 4"."""
    return f"⌊{_room(size, kernel, stride, padding, dilation)}⌋ + 1 = {convolved_size(size, kernel, stride, padding, dilation)}"


def pooled_size(size: int, kernel: int, stride: int, padding: int, dilation: int = 1, ceil_mode: bool = False) -> int:
    """Windows along an axis: ⌊(n + 2p − d·(k − 1) − 1) / s⌋ + 1. Rounded up, one less if the last one starts behind the input."""
    if not ceil_mode:
        return convolved_size(size, kernel, stride, padding, dilation)
    places = _rounded_up(size, kernel, stride, padding, dilation)
    return places - 1 if (places - 1) * stride >= size + padding else places


def pooled_formula(size: int, kernel: int, stride: int, padding: int, dilation: int = 1, ceil_mode: bool = False) -> str:
    """`pooled_size` with its numbers, as `convolved_formula`; where the last window is left out, that is said."""
    if not ceil_mode:
        return convolved_formula(size, kernel, stride, padding, dilation)
    found = pooled_size(size, kernel, stride, padding, dilation, ceil_mode)
    line = f"⌈{_room(size, kernel, stride, padding, dilation)}⌉ + 1"
    if found < _rounded_up(size, kernel, stride, padding, dilation):
        return _("{line} − 1 = {size}, because the last window would start beyond the input", line=line, size=found)
    return f"{line} = {found}"


def transposed_size(
    size: int, kernel: int, stride: int, padding: int = 0, output_padding: int = 0, dilation: int = 1
) -> int:  # fmt: skip
    """Cells along an axis: (n − 1)·s − 2p + d·(k − 1) + 1 + output padding. Of max-unpooling as well, with d = 1."""
    return (size - 1) * stride - 2 * padding + extent(kernel, dilation) + output_padding


def transposed_formula(
    size: int, kernel: int, stride: int, padding: int = 0, output_padding: int = 0, dilation: int = 1
) -> str:  # fmt: skip
    """`transposed_size` with its numbers: "(input 3 − 1)·stride 2 − 2·padding 0 + kernel 2 = 6"."""
    found = transposed_size(size, kernel, stride, padding, output_padding, dilation)
    start = _("(input {n} − 1)·stride {s} − 2·padding {p}", n=size, s=stride, p=padding)
    span = _("kernel {k}", k=kernel) if dilation == 1 else _("dilation {d}·(kernel {k} − 1) + 1", d=dilation, k=kernel)
    more = [_("output padding {o}", o=output_padding)] if output_padding else []
    return f"{' + '.join([start, span, *more])} = {found}"


def each_axis(lines: Sequence[str]) -> str:
    """The formulas of one to three axes as sentences, a line an axis with its name; a single one where all are alike."""
    if len(set(lines)) == 1:
        return _("Output size: {line}", line=lines[0])
    names = (_("Output depth: {line}"), _("Output height: {line}"), _("Output width: {line}"))[-len(lines) :]
    return "\n".join(name.format(line=line) for name, line in zip(names, lines, strict=True))


def _room(size: int, kernel: int, stride: int, padding: int, dilation: int) -> str:
    if dilation == 1:
        return _("(input {n} + 2·padding {p} − kernel {k}) / stride {s}", n=size, p=padding, k=kernel, s=stride)
    return _("(input {n} + 2·padding {p} − dilation {d}·(kernel {k} − 1) − 1) / stride {s}",
             n=size, p=padding, d=dilation, k=kernel, s=stride)  # fmt: skip


def _rounded_up(size: int, kernel: int, stride: int, padding: int, dilation: int) -> int:
    return -(-(size + 2 * padding - extent(kernel, dilation)) // stride) + 1

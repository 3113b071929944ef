"""The controls of the Convolution view. Each knows from the others how far it can go, and the page says what stops it."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from segdemo.layerlab.convolution import MOST_TAPS, Arithmetic, Mode, largest_padding
from segdemo.layerlab.sizes import extent
from segdemo.text import _
from segdemo.ui.layers_frame import reasons, two_columns
from segdemo.ui.layers_settings import choice_setting, number_setting, switch_setting

__all__ = [
    "Limit", "axis_letter", "dilation_limit", "kernel_limit", "movement", "padding_limit", "shape_of_channels",
]  # fmt: skip

LARGEST_KERNEL, LARGEST_STRIDE, LARGEST_PADDING, LARGEST_DILATION = 7, 4, 4, 4
VOLUME_KERNEL, VOLUME_PADDING = 3, 1  # in three axes
MOST_CHANNELS = 4


@dataclass(frozen=True)
class Limit:
    """How far a control can go, and what stops it there; no reason where it is only the page's own bound."""

    most: int
    reason: str = ""


def padding_limit(size: int, mode: Mode, axes: int = 2) -> Limit:
    """The most that the mode can fill."""
    limit = largest_padding(size, mode)
    if axes == 3 and (limit is None or limit >= VOLUME_PADDING):
        return Limit(VOLUME_PADDING, _volume_words())
    if limit is None or limit >= LARGEST_PADDING:
        return Limit(LARGEST_PADDING)
    if mode == "reflect":
        return Limit(limit, _("Reflect mirrors at the outermost cell without repeating it: {n} cells give a border of at "
                              "most {most}.", n=size, most=limit))  # fmt: skip
    return Limit(limit, _("Circular wraps around once: {n} cells give a border of at most {most}.", n=size, most=limit))


def _volume_words() -> str:
    return _("With three axes a kernel has at most {kernel} cells per side here and a padding of {padding}: "
             "there must be room for every slice.", kernel=VOLUME_KERNEL, padding=VOLUME_PADDING)  # fmt: skip


def kernel_limit(size: int, padding: int, axes: int = 2) -> Limit:
    """The largest kernel that fits into the padded input."""
    most = size + 2 * padding
    if axes == 3 and most >= VOLUME_KERNEL:
        return Limit(VOLUME_KERNEL, _volume_words())
    if most >= LARGEST_KERNEL:
        return Limit(LARGEST_KERNEL)
    return Limit(most, _("A kernel has to fit into the {n} cells, padding included.", n=most))


def dilation_limit(size: int, padding: int, kernel: int) -> Limit:
    """The widest gaps with which a kernel still fits."""
    if kernel == 1:
        return Limit(1, _("A kernel of one cell has no gaps to widen: its dilation is 1."))
    most = (size + 2 * padding - 1) // (kernel - 1)
    if most >= LARGEST_DILATION:
        return Limit(LARGEST_DILATION)
    return Limit(most, _("With a dilation of {d} the kernel would span {span} cells, but there are only {n}.",
                         d=most + 1, span=extent(kernel, most + 1), n=size + 2 * padding))  # fmt: skip


def axis_letter(axes: int) -> str:
    """What ends the names of settings that each number of axes has for itself, so that one takes nothing from another."""
    return {1: "l", 2: "", 3: "a"}[axes]


def _axis_words(axes: int) -> tuple[tuple[str, str], ...]:
    """A letter and a sign for each axis that has a control of its own; a volume's axes share one."""
    return {1: (("l", ""),), 2: (("h", "↕"), ("w", "↔")), 3: (("a", ""),)}[axes]


def movement(sizes: Sequence[int], kernel: Sequence[int] | None) -> tuple[tuple[int, ...], Arithmetic]:
    """Kernel size and how it moves over an input of these sizes. kernel: its sizes where they are given, as a known kernel's.

    They are settled in this order: padding by the mode, the kernel by what padding leaves, dilation by the kernel.
    """
    mode = _mode()
    words = _axis_words(len(sizes))
    if len(words) > 1:
        _axes_named(words)
    rows = {name: two_columns() if len(words) > 1 else (st.container(),) for name in ("kspd" if kernel is None else "spd")}
    found: dict[str, list[int]] = {name: [] for name in "kspd"}
    stops: list[str] = []

    def control(name: str, axis: int, low: int, limit: Limit, default: int) -> int:
        with rows[name][axis]:
            value = _slider(name, words[axis], low, limit, default)
        stops.append(limit.reason if value == limit.most else "")
        found[name].append(value)
        return value

    for axis, size in enumerate(sizes[: len(words)]):
        padding = control("p", axis, 0, padding_limit(size, mode, len(sizes)), 0)
        if kernel is None:
            span = control("k", axis, 1, kernel_limit(size, padding, len(sizes)), 3)
        else:
            found["k"].append(span := kernel[axis])
        control("d", axis, 1, dilation_limit(size, padding, span), 1)
        control("s", axis, 1, Limit(LARGEST_STRIDE), 1)
    reasons(stops)
    times = len(sizes) // len(words)
    kernels, strides, paddings, dilations = (tuple(found[name]) * times for name in "kspd")
    return kernels, Arithmetic(strides, paddings, dilations, mode=mode)


def _axes_named(words: Sequence[tuple[str, str]]) -> None:
    """Above the pairs of sliders, what the sign of each column means."""
    names = {"h": _("height"), "w": _("width")}
    for place, (letter, sign) in zip(two_columns(), words, strict=True):
        place.caption(f"{sign} {names[letter]}")


def _mode() -> Mode:
    words: dict[Mode, str] = {
        "zeros": _("zeros"), "reflect": _("reflect"), "replicate": _("replicate"), "circular": _("circular"),
    }  # fmt: skip
    return choice_setting(
        "mode", _("Border filled with"), words, "zeros", help=_("Where the border gets its values. Hover over a border cell.")
    )


def _slider(name: str, axis: tuple[str, str], low: int, limit: Limit, default: int) -> int:
    titles = {"k": _("Kernel"), "s": _("Stride"), "p": _("Padding"), "d": _("Dilation")}
    helps = {
        "k": _("Cells of the kernel along this axis."), "s": _("How many cells the kernel moves at each step."),
        "p": _("Cells added around the input, on both sides."), "d": _("Distance between the cells that the kernel touches."),
    }  # fmt: skip
    letter, sign = axis
    return number_setting(
        f"{name}{letter}", f"{titles[name]} {sign}".strip(), low, limit.most, default,
        help=f"{helps[name]} {limit.reason}".strip(), why=limit.reason,
    )  # fmt: skip


def _room(products: int, most: int) -> Limit:
    """How many channels or filters there can be where each adds that many products."""
    room = max(1, min(most, MOST_TAPS // products))
    return Limit(
        room, _("All output cells together can have at most {most:,} products here.", most=MOST_TAPS) if room < most else ""
    )


def shape_of_channels(axes: int, products: int) -> tuple[int, int, int, bool, bool]:
    """Input channels, filters, groups, bias and whether the kernel is flipped. products: of one filter on one channel."""
    most, letter = MOST_CHANNELS if axes < 3 else 2, axis_letter(axes)
    with st.popover(_("Channels"), icon=":material/layers:", width="stretch"):
        room = _room(products, most)
        channels = number_setting(
            f"c{letter}", _("Input channels"), 1, room.most, 1, why=room.reason, folded=True,
            help=_("Every filter has a slice for each of them, and all are added up."),
        )  # fmt: skip
        left = _room(products * channels, most)
        filters = number_setting(
            f"f{letter}", _("Filters"), 1, left.most, 1, why=left.reason, folded=True,
            help=_("Each makes an output channel of its own."),
        )  # fmt: skip
        if reason := room.reason or left.reason:
            st.caption(reason)
        possible = [n for n in range(1, most + 1) if channels % n == 0 and filters % n == 0]
        words = {str(n): _("{n}, depthwise", n=n) if n == channels > 1 else str(n) for n in possible}
        why = _("Groups must divide both the number of channels, {channels}, and that of filters, {filters}.",
                channels=channels, filters=filters)  # fmt: skip
        groups = int(choice_setting(f"g{letter}", _("Groups"), words, "1", compact=True, why=why, folded=True, help=_(
            "Channels and filters form groups that see nothing of each other. One channel per group: depthwise.")))  # fmt: skip
        if len(possible) < most:
            st.caption(why)
        bias = switch_setting("b", _("Bias"), folded=True, help=_("A number that each filter adds to all of its sums."))
        flipped = switch_setting("flip", _("Flip the kernel"), folded=True, help=_(
            "A true convolution, as in mathematics. What networks call convolution is cross-correlation, without flipping; "
            "since the weights are learned, both can do the same."))  # fmt: skip
    return channels, filters, groups, bias, flipped

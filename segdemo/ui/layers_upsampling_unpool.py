"""The controls of max-unpooling: window, stride and padding, each of which knows how far it can go, and what they lead to."""

import numpy as np
from numpy.typing import NDArray

from segdemo.layerlab.pooling import Pooling, max_pool
from segdemo.layerlab.pooling import windows as windows_of
from segdemo.layerlab.sizes import transposed_size
from segdemo.layerlab.unpooling_scene import unpooling_scene
from segdemo.text import _
from segdemo.ui.layers_frame import reasons, two_columns
from segdemo.ui.layers_settings import number_setting
from segdemo.ui.layers_typed import pattern_setting, typed
from segdemo.ui.layers_upsampling_shown import Question, Shown, unreadable

__all__ = ["by_switches"]

Float = NDArray[np.float64]
LARGEST_WINDOW, LARGEST_STRIDE = 5, 4
LARGEST_PICTURE = 16  # cells along a side, so that their numbers can be read


def by_switches(size: int) -> Shown:
    """The encoder's map, the `size` × `size` maxima of its windows, and these back where they were."""
    settings = _unpool_settings(size)
    side = _unpooled_side(size, settings)
    _chosen, numbers = pattern_setting((1, side, side), _("Shown on"), to_nine=True)
    picture = typed("x", numbers[0])
    question = _question(_filled_cells(picture.values, settings), size**2, side**2)
    note = _unpool_note(picture.values, settings)
    return Shown(unpooling_scene(picture.values, settings), note, question, picture, padding=settings.padding[0])


def _question(filled: int, windows: int, cells: int) -> Question:
    choices = {str(n): str(n) for n in sorted({filled, windows, max(1, windows - 1), cells, cells // 2})}
    if filled == windows:
        why = _("One for each window, {count}; the other {n} stay zero.", count=windows, n=cells - filled)
    else:
        why = _("{count} windows, but some have the same winner: {filled} places get a value, the other {n} stay zero.",
                count=windows, filled=filled, n=cells - filled)  # fmt: skip
    return Question(_("How many cells of the output get a value?"), choices, str(filled), why)


def _unpool_settings(size: int) -> Pooling:
    """The pooling whose maxima are `size` cells a side, from the sliders."""
    left, right = two_columns()
    with left:
        kernel = number_setting("uk", _("Window"), 1, LARGEST_WINDOW, 2, help=_("Cells along each side of the window a "
                                                                                "maximum is taken from."))  # fmt: skip
    most = min(LARGEST_STRIDE, (LARGEST_PICTURE - kernel) // (size - 1))
    too_many = unreadable(LARGEST_PICTURE) if most < LARGEST_STRIDE else ""
    with right:
        stride = number_setting("us", _("Stride"), 1, most, 2, why=too_many, help=_(
            "Distance between windows. Below the window they overlap, above it there are gaps between them."))  # fmt: skip
    half = _("Padding is at most half the window: {n}.", n=kernel // 2)
    padding = number_setting("up", _("Padding"), 0, kernel // 2, 0, why=half, help=_(
        "Cells around the encoder's map that never win, as of −∞. What comes back has none."))  # fmt: skip
    reasons([too_many, half])
    return Pooling((kernel,) * 2, (stride,) * 2, (padding,) * 2)


def _unpooled_side(size: int, settings: Pooling) -> int:
    """Cells along a side of the encoder's map that has `size` windows a side and nothing left over."""
    return transposed_size(size, settings.kernel[0], settings.stride[0], settings.padding[0])


def _filled_cells(picture: Float, settings: Pooling) -> int:
    """How many cells of picture (H, W) are the maximum of a window: so many get their value back."""
    switches = max_pool(picture, settings)[1]
    return len(np.unique(switches.reshape(-1, 2), axis=0))


def _unpool_note(picture: Float, settings: Pooling) -> str:
    """What switches are, and what windows that overlap or leave gaps do to them here."""
    first = _("The encoder's pooling remembers where each maximum was: the marked corners, called switches. Values return "
              "there, all else is zero, and the convolutions after it fill the gaps. SegNet's decoder does this: edges come "
              "back in the right place.")  # fmt: skip
    places = windows_of(len(picture), settings, 0)
    count, filled = len(places) ** 2, _filled_cells(picture, settings)
    if settings.kernel > settings.stride:
        second = _("Windows overlap: **{count} windows have {filled} different winners**. What wins in several comes back once; "
                   "the same number is written again, not added.", count=count, filled=filled)  # fmt: skip
    elif settings.kernel < settings.stride:
        looked = len({at for window in places for at in window if 0 <= at < len(picture)})
        second = _("There are gaps between windows: {never} of {all} cells are in none, never win and stay 0.",
                   never=len(picture) ** 2 - looked**2, all=len(picture) ** 2)  # fmt: skip
    else:
        second = _("Windows stand edge to edge, so that each has a winner of its own: {count}.", count=count)
    return f"{first} {second}"

"""A layer that makes a picture smaller, of whatever kind, and what a move of the picture changes behind it.

Zhang, Making Convolutional Networks Shift-Invariant Again, ICML 2019, arXiv:1904.11486.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from segdemo.layerlab.convolution import Arithmetic, convolve
from segdemo.layerlab.pooling import Pooling, average_pool, max_pool

__all__ = ["Float", "Kind", "Shrinking", "changed", "moved", "shrunk"]

Float = NDArray[np.float64]
Kind = Literal["max", "average", "global", "strided"]
SAME = 1e-12  # two outputs nearer than that are the same


@dataclass(frozen=True)
class Shrinking:
    """A layer that makes a picture smaller. `weight` (kernel height, width) is that of a strided convolution alone.

    Of "global" the settings have no say: its window is the picture.
    """

    kind: Kind
    settings: Pooling
    weight: Float | None = None

    def windows_on(self, image: Float) -> Pooling:
        """The windows; of a global average a single one, and of a convolution never more than fit."""
        if self.kind == "global":
            return Pooling((image.shape[0], image.shape[1]), (1, 1))
        return self.settings if self.weight is None else replace(self.settings, ceil_mode=False, count_include_pad=True)


def shrunk(image: Float, layer: Shrinking) -> Float:
    """image (H, W) → (h, w). Raises SettingError where the windows do not fit."""
    settings = layer.windows_on(image)
    if layer.weight is not None:
        moves = Arithmetic(settings.stride, settings.padding, settings.dilation)
        return np.asarray(convolve(image[None], layer.weight[None, None], None, moves)[0])
    return max_pool(image, settings)[0] if layer.kind == "max" else average_pool(image, settings)


def moved(wide: Float, by: int, room: int) -> tuple[Float, Float]:
    """A picture before and after it moves to the right by some pixels; what comes in on the left is there in `wide`.

    wide (H, room + W) → two pictures (H, W); 0 ≤ by ≤ room.
    """
    return wide[:, room:], wide[:, room - by : wide.shape[1] - by]


def changed(before: Float, after: Float) -> NDArray[np.bool_]:
    """Which outputs (h, w) are others after a move; what only the order of a sum makes different is the same."""
    return np.asarray(np.abs(before - after) > SAME)

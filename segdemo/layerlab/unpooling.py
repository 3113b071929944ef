"""Max-unpooling: every value goes back to where its maximum was found, all else is zero.

The same numbers as `torch.nn.functional.max_unpool2d`. The places, called switches, are kept by the pooling of the encoder.

Zeiler and Fergus, Visualizing and understanding convolutional networks, 2014, arXiv:1311.2901. In a decoder: SegNet,
arXiv:1511.00561.
"""

import numpy as np
from numpy.typing import NDArray

from segdemo.errors import SettingError
from segdemo.text import _

__all__ = ["max_unpool"]

Float = NDArray[np.float64]


def max_unpool(image: Float, switches: NDArray[np.int64], shape: tuple[int, int]) -> Float:
    """image (h, w), switches (h, w, 2) with the row and column each value returns to → (H, W) = shape.

    The shape is usually that of `transposed_size`; the pooled input may have had up to s − 1 more cells, which rounding lost.

    Where windows overlapped and two values return to one place, the later one stays. Raises SettingError where a switch
    lies outside.
    """
    if (switches < 0).any() or (switches >= np.array(shape)).any():
        raise SettingError(_("A switch points outside the {rows} × {columns} cells.", rows=shape[0], columns=shape[1]))
    output = np.zeros(shape)
    for place in np.ndindex(image.shape):
        row, column = switches[place]
        output[row, column] = image[place]
    return output

"""1×1 convolution: at every pixel the same matrix mixes the channels. As a loop, and as one product of matrices.

Lin, Chen and Yan, Network In Network, ICLR 2014, arXiv:1312.4400, section 3.2 ("cross channel parametric pooling").
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segdemo.errors import SettingError
from segdemo.text import N_, _

__all__ = ["COLOUR_MIXES", "ColourMix", "as_columns", "mix", "mixing_weights"]

Float = NDArray[np.float64]


@dataclass(frozen=True)
class ColourMix:
    """A known way to mix red, green and blue: a row of three weights a filter."""

    title: str
    meaning: str
    rows: tuple[tuple[float, float, float], ...]


COLOUR_MIXES: dict[str, ColourMix] = {
    "grey": ColourMix(
        N_("Brightness"), N_("One filter: 0.299 red + 0.587 green + 0.114 blue, as in BT.601."), ((0.299, 0.587, 0.114),)
    ),
    "mean": ColourMix(N_("Mean"), N_("One filter: a third of each channel."), ((1 / 3, 1 / 3, 1 / 3),)),
    "red_green": ColourMix(N_("Red against green"), N_("One filter: positive where red is stronger."), ((1, -1, 0),)),
    "opponents": ColourMix(
        N_("Opponent colours"), N_("Two filters: red against green, and yellow (red and green) against blue."),
        ((1, -1, 0), (0.5, 0.5, -1)),
    ),
}  # fmt: skip


def mix(image: Float, weight: Float, bias: Float | None = None) -> Float:
    """image (C, H, W), weight (filters, C), bias (filters,) or None → (filters, H, W). No pixel sees another.

    The same as `torch.nn.functional.conv2d` with weight[:, :, None, None]. Raises SettingError where the channels differ.
    """
    channels, height, width = image.shape
    if weight.shape[1] != channels:
        raise SettingError(_("The weights mix {n} channels, but the input has {c}.", n=weight.shape[1], c=channels))
    output = np.zeros((len(weight), height, width))
    for row in range(height):
        for column in range(width):
            output[:, row, column] = weight @ image[:, row, column]  # (filters, C) times the column of channels (C,)
    return output if bias is None else output + bias[:, None, None]


def as_columns(image: Float) -> Float:
    """(C, H, W) → (C, H·W): a column a pixel, so that `weight @ as_columns(image)` is the whole layer."""
    return image.reshape(len(image), -1)


def mixing_weights(filters: int, channels: int) -> Float:
    """Small whole weights (filters, C) to calculate along with: −1, 0, 1 and 2, in a fixed order, no filter all zero."""
    weight = np.random.default_rng(11).integers(-1, 3, (filters, channels)).astype(np.float64)
    weight[~weight.any(axis=1), 0] = 1
    return weight

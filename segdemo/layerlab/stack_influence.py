"""The effective field of a stack: how much each pixel that a unit can see counts.

The gradient of one unit with respect to the input of the stack without activations, carried down layer by layer: the
transpose of a convolution is a transposed convolution, and the other way round. With all weights equal it is the number of
ways from a pixel to the unit; with random weights it is one draw. Maximum pooling counts as a mean: which input wins
depends on the picture.

Luo, Li, Urtasun, Zemel, Understanding the Effective Receptive Field in Deep Convolutional Neural Networks, NeurIPS 2016,
arXiv:1701.04128: the middle counts most, like a Gaussian, whose width grows with the root of the depth only.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from segdemo.layerlab.stacks import StackLayer, best_unit

__all__ = ["HELD", "Weights", "holding_side", "influence", "weights_of"]

Weights = Literal["equal", "random"]
HELD = 0.95  # the share of the influence that the effective field holds


def weights_of(layer: StackLayer, number: int, weights: Weights, seed: int = 0) -> NDArray[np.float64]:
    """The kernel (k, k) of the layer with that number in a stack: ones, or normal draws for those that learn."""
    if layer.kind == "bilinear":
        middle = (layer.kernel - 1) / 2
        line = 1 - np.abs(np.arange(layer.kernel) - middle) / layer.stride
        return np.outer(line, line)
    shape = (layer.kernel, layer.kernel)
    random = weights == "random" and layer.learns
    return np.random.default_rng((seed, number)).standard_normal(shape) if random else np.ones(shape)


def influence(layers: Sequence[StackLayer], weights: Weights, seed: int = 0) -> NDArray[np.float64]:
    """|∂ unit / ∂ pixel| (r, r) over the field of the unit that sees most. Whole numbers, ways, with equal weights."""
    first = last = best_unit(layers)
    gradient = torch.ones(1, 1, 1, 1, dtype=torch.float64)
    for number in reversed(range(len(layers))):
        layer = layers[number]
        kernel = torch.from_numpy(weights_of(layer, number, weights, seed))[None, None]
        gradient = _carried(layer, gradient, kernel, first, last)
        first, last = layer.inputs_of(first, last)
    return gradient[0, 0].abs().numpy()


def _carried(layer: StackLayer, gradient: Tensor, kernel: Tensor, first: int, last: int) -> Tensor:
    """From the outputs first … last of a layer to all the inputs they are made of."""
    if not layer.enlarges:
        return F.conv_transpose2d(gradient, kernel, stride=layer.stride, dilation=layer.dilation)
    low, high = layer.inputs_of(first, last)
    before = first - (low * layer.stride - layer.padding)  # outputs of the first input that lie in front of these
    behind = high * layer.stride - layer.padding + layer.kernel - 1 - last
    return F.conv2d(F.pad(gradient, (before, behind, before, behind)), kernel, stride=layer.stride)


def holding_side(heat: NDArray[np.float64], share: float = HELD) -> int:
    """The side of the smallest square around the middle of heat (n, n) that holds the share; of the parity of n."""
    side, total = len(heat), float(heat.sum())
    for cut in range((side - 1) // 2, -1, -1):
        if heat[cut : side - cut, cut : side - cut].sum() >= share * total * (1 - 1e-12):
            return side - 2 * cut
    return side

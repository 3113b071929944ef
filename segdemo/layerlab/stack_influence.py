"""The effective field of a stack: how much each pixel that a unit can see counts.

The gradient of one unit with respect to the input of the stack without activations, carried down layer by layer: the
transpose of a convolution is a transposed convolution, and the other way round. With all weights equal it is the number of
ways from a pixel to the unit, the same along both axes, so that one is enough; with random weights it is one draw. Maximum
pooling counts as a mean: which input wins depends on the picture.

Luo, Li, Urtasun, Zemel, Understanding the Effective Receptive Field in Deep Convolutional Neural Networks, NeurIPS 2016,
arXiv:1701.04128: the middle counts most, like a Gaussian, whose width grows with the root of the depth only.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.signal import convolve

from segdemo.layerlab.stack_levels import best_unit
from segdemo.layerlab.stacks import Span, StackLayer
from segdemo.layerlab.transposed import bilinear_profile

__all__ = ["HELD", "Weights", "holding_side", "influence", "ways", "weights_of"]

Float = NDArray[np.float64]
Weights = Literal["equal", "random"]
HELD = 0.95  # the share of the influence that the effective field holds
ROUNDING = 1e-12  # of a sum of float64, so that a share that is held exactly counts as held


def weights_of(layer: StackLayer, number: int, weights: Weights, seed: int = 0) -> Float:
    """The kernel (k, k) of the layer with that number in a stack: ones, or normal draws for those that learn."""
    if weights == "random" and layer.learns:
        return np.random.default_rng((seed, number)).standard_normal((layer.kernel, layer.kernel))
    along = _profile(layer)
    return np.outer(along, along)


def _profile(layer: StackLayer) -> Float:
    """Equal weights along one axis (k,): the kernel is this, across times down."""
    return bilinear_profile(layer.kernel, layer.stride) if layer.kind == "bilinear" else np.ones(layer.kernel)


def ways(layers: Sequence[StackLayer]) -> Float:
    """With equal weights, how many ways lead along one axis from each pixel (r,) to the unit that sees most."""
    return _gradient(layers, [_profile(layer) for layer in layers], 1)


def influence(layers: Sequence[StackLayer], weights: Weights, seed: int = 0) -> Float:
    """|∂ unit / ∂ pixel| (r, r) over the field of the unit that sees most. Whole numbers, ways, with equal weights."""
    if weights == "equal":
        along = ways(layers)
        return np.outer(along, along)
    kernels = [weights_of(layer, number, weights, seed) for number, layer in enumerate(layers)]
    return np.abs(_gradient(layers, kernels, 2))


def _gradient(layers: Sequence[StackLayer], kernels: Sequence[Float], axes: int) -> Float:
    """∂ unit / ∂ pixel along one axis or along both, from the unit down to the input."""
    unit = best_unit(layers)
    span = Span(unit, unit)
    gradient = np.ones([1] * axes)
    for layer, kernel in zip(reversed(layers), reversed(kernels), strict=True):
        gradient = _carried(layer, gradient, kernel, span)
        span = layer.inputs_of(span)
    return gradient


def _carried(layer: StackLayer, gradient: Float, kernel: Float, outputs: Span) -> Float:
    """From some outputs of a layer to all the inputs they are made of."""
    how = "direct" if gradient.ndim == 1 else "auto"  # one axis: whole numbers stay whole; both: quick for large fields
    if not layer.enlarges:
        return np.asarray(convolve(_spread(gradient, layer.stride), _spread(kernel, layer.dilation), "full", how))
    inputs = layer.inputs_of(outputs)
    before = outputs.first - (inputs.first * layer.stride - layer.padding)  # outputs of the first input in front of these
    behind = inputs.last * layer.stride - layer.padding + layer.kernel - 1 - outputs.last
    found = convolve(np.pad(gradient, (before, behind)), np.flip(kernel), "valid", how)
    return np.asarray(found[(slice(None, None, layer.stride),) * gradient.ndim])


def _spread(array: Float, step: int) -> Float:
    """With step − 1 zeros between neighbours, along every axis."""
    wide = np.zeros([(size - 1) * step + 1 for size in array.shape])
    wide[(slice(None, None, step),) * array.ndim] = array
    return wide


def holding_side(heat: Float, share: float = HELD) -> int:
    """The side of the smallest square around the middle of heat (n, n) that holds the share; of the parity of n."""
    side = len(heat)
    border = np.minimum(np.arange(side), np.arange(side)[::-1])  # how far each place is from the nearer end
    rings = np.bincount(np.minimum.outer(border, border).ravel(), heat.ravel())
    held = rings[::-1].cumsum()[::-1]  # by the square that is left after so many rings were cut off
    enough = np.flatnonzero(held >= share * held[0] * (1 - ROUNDING))
    return side - 2 * int(enough[-1])

"""A residual block: the input goes on as it is, and a branch adds to it. Forwards, backwards, and many in a row.

y = x + F(x), here with a single 3×3 convolution as the branch F. He et al., Deep Residual Learning, CVPR 2016,
arXiv:1512.03385, equation 1; Identity Mappings in Deep Residual Networks, ECCV 2016, arXiv:1603.05027, equation 5.
"""

import numpy as np
from numpy.typing import NDArray

from segdemo.layerlab.convolution import Arithmetic, convolve

__all__ = ["SAME", "branch", "branch_gradient", "chain_gradients", "residual", "residual_gradient"]

Float = NDArray[np.float64]
SAME = Arithmetic((1, 1), (1, 1), (1, 1))  # a 3×3 kernel that keeps the size


def branch(x: Float, kernel: Float) -> Float:
    """F(x): x (H, W) convolved with kernel (3, 3), zeros around it → (H, W)."""
    return np.asarray(convolve(x[None], kernel[None, None], None, SAME)[0])


def residual(x: Float, kernel: Float) -> Float:
    """x + F(x), (H, W) → (H, W). With a kernel of zeros the block is the identity."""
    return x + branch(x, kernel)


def branch_gradient(upstream: Float, kernel: Float) -> Float:
    """What comes back through the branch alone, of upstream = ∂L/∂y (H, W): the same sums with the kernel turned around."""
    return branch(upstream, kernel[::-1, ::-1])


def residual_gradient(upstream: Float, kernel: Float) -> Float:
    """∂L/∂x of upstream = ∂L/∂y: upstream itself, through the identity, and what comes back through the branch."""
    return upstream + branch_gradient(upstream, kernel)


def chain_gradients(slope: float, depth: int) -> tuple[Float, Float]:
    """|∂ last / ∂ first| after 0 … depth layers of a single number each, without and with identity, each (depth + 1,).

    Plain: y = slope · x, so slopeⁿ. Residual: y = x + slope · x, so (1 + slope)ⁿ.
    """
    layers = np.arange(depth + 1)
    return np.abs(float(slope) ** layers), np.abs((1.0 + slope) ** layers)

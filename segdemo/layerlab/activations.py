"""Activations and their gradients, as they are written on paper. All work on arrays of any shape, in float64.

Nair and Hinton, Rectified Linear Units, ICML 2010; Maas et al., Rectifier Nonlinearities, ICML workshop 2013 (LeakyReLU);
Hendrycks and Gimpel, Gaussian Error Linear Units, arXiv:1606.08415.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf

from segdemo.text import N_

__all__ = [
    "ACTIVATIONS", "Activation", "gelu", "gelu_gradient", "leaky_relu", "leaky_relu_gradient", "sigmoid", "sigmoid_gradient",
]  # fmt: skip

Float = NDArray[np.float64]


@dataclass(frozen=True)
class Activation:
    """A function and its gradient, both of (x, slope); only LeakyReLU uses the slope. `latex` is the formula of both."""

    title: str
    meaning: str
    latex: str
    value: Callable[[Float, float], Float]
    gradient: Callable[[Float, float], Float]


def leaky_relu(x: Float, slope: float) -> Float:
    """x where it is positive, slope · x elsewhere. With a slope of 0 it is ReLU."""
    return np.where(x > 0, x, slope * x)


def leaky_relu_gradient(x: Float, slope: float) -> Float:
    """1 where x is positive, the slope elsewhere. At 0, where there is none, PyTorch takes the slope, and so do we."""
    return np.where(x > 0, 1.0, slope)


def sigmoid(x: Float) -> Float:
    """1 / (1 + e⁻ˣ), as e^(−log(1 + e⁻ˣ)), which does not overflow."""
    return np.asarray(np.exp(-np.logaddexp(0.0, -x)))


def sigmoid_gradient(x: Float) -> Float:
    """σ(x) · (1 − σ(x)) = σ(x) · σ(−x), at most 1/4."""
    return sigmoid(x) * sigmoid(-x)


def gelu(x: Float) -> Float:
    """x · Φ(x), with Φ the share of a standard normal distribution below x."""
    return np.asarray(x * (1 + erf(x / np.sqrt(2))) / 2)


def gelu_gradient(x: Float) -> Float:
    """Φ(x) + x · φ(x), with φ the density of the standard normal distribution."""
    return np.asarray((1 + erf(x / np.sqrt(2))) / 2 + x * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi))


ACTIVATIONS: dict[str, Activation] = {
    "relu": Activation(
        "ReLU",
        N_("Passes positive values and sets the rest to 0. Its gradient is 1 or 0: a unit that is never positive cannot learn."),
        r"\max(0, x), \quad \tfrac{d}{dx} = [x > 0]",
        lambda x, _slope: leaky_relu(x, 0.0), lambda x, _slope: leaky_relu_gradient(x, 0.0),
    ),
    "leaky_relu": Activation(
        "LeakyReLU",
        N_("Lets a little through below zero, so that no unit is ever without a gradient."),
        r"\max(x, a x), \quad \tfrac{d}{dx} = 1 \text{ or } a", leaky_relu, leaky_relu_gradient,
    ),
    "sigmoid": Activation(
        "Sigmoid",
        N_("Between 0 and 1: a probability of foreground. Its gradient is a quarter at most and vanishes on both sides."),
        r"\sigma(x) = \tfrac{1}{1 + e^{-x}}, \quad \sigma' = \sigma (1 - \sigma)",
        lambda x, _slope: sigmoid(x), lambda x, _slope: sigmoid_gradient(x),
    ),
    "tanh": Activation(
        "tanh",
        N_("Between −1 and 1 and centred on zero. It is a stretched sigmoid, 2σ(2x) − 1, and saturates in the same way."),
        r"\tanh x, \quad \tfrac{d}{dx} = 1 - \tanh^2 x",
        lambda x, _slope: np.tanh(x), lambda x, _slope: 1 - np.tanh(x) ** 2,
    ),
    "gelu": Activation(
        "GELU",
        N_("ReLU with a soft corner, as in SegFormer and other transformers. A little below zero its gradient is negative."),
        r"x\,\Phi(x), \quad \tfrac{d}{dx} = \Phi(x) + x\,\varphi(x)",
        lambda x, _slope: gelu(x), lambda x, _slope: gelu_gradient(x),
    ),
}  # fmt: skip

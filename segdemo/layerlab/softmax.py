"""Softmax with a temperature: from logits to probabilities, and how each probability moves with each logit.

Hinton, Vinyals and Dean, Distilling the Knowledge in a Neural Network, 2015, arXiv:1503.02531, equation 1 (temperature).
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["exponentials", "softmax", "softmax_gradient"]

Float = NDArray[np.float64]


def exponentials(logits: Float, temperature: float) -> Float:
    """e^((z − max z) / T), (classes,). Taking the largest away changes no probability and overflows never."""
    return np.asarray(np.exp((logits - logits.max()) / temperature))


def softmax(logits: Float, temperature: float = 1.0) -> Float:
    """e^(z/T) over the sum of all of them, (classes,), adds up to 1. temperature: above 0."""
    shares = exponentials(logits, temperature)
    return np.asarray(shares / shares.sum())


def softmax_gradient(logits: Float, temperature: float = 1.0) -> Float:
    """∂p_i/∂z_j = p_i · ([i = j] − p_j) / T, (classes, classes). Every row and column adds up to 0."""
    probs = softmax(logits, temperature)
    return np.asarray(probs[:, None] * (np.eye(len(probs)) - probs[None, :]) / temperature)

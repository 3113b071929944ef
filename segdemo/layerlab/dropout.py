"""Dropout: in training each value is 0 with probability p and 1/(1 − p) times itself otherwise; in evaluation it is left alone.

Srivastava et al., Dropout, JMLR 15, 2014. Scaled in training and not in evaluation ("inverted"), as PyTorch does.
"""

import numpy as np
import torch
from numpy.typing import NDArray

__all__ = ["dropout", "dropout_factors", "mean_of_draws"]

Float = NDArray[np.float64]


def dropout_factors(shape: tuple[int, ...], p: float, seed: int, training: bool = True) -> Float:
    """What each value is multiplied with: 0 or 1/(1 − p) in training, 1 in evaluation. p: 0 up to, but not, 1.

    Drawn as PyTorch draws them, so that `torch.manual_seed(seed)` before `F.dropout` on the CPU drops the same cells.
    """
    if not training or p == 0:
        return np.ones(shape)
    generator = torch.Generator().manual_seed(seed)
    kept = torch.empty(shape, dtype=torch.float64).bernoulli_(1 - p, generator=generator)
    return np.asarray(kept.numpy() / (1 - p))


def dropout(x: Float, p: float, seed: int, training: bool = True) -> Float:
    """x of any shape, with some values dropped and the rest scaled up; see `dropout_factors`."""
    return x * dropout_factors(x.shape, p, seed, training)


def mean_of_draws(x: Float, p: float, seed: int, draws: int) -> Float:
    """The mean of `draws` dropouts with seeds from `seed` on. It comes close to x: that is what the 1/(1 − p) is for."""
    total = np.zeros_like(x)
    for draw in range(draws):
        total += dropout(x, p, seed + draw)
    return total / draws

"""Dropout: in training each value is 0 with probability p and 1/(1 − p) times itself otherwise; in evaluation it is left alone.

Srivastava et al., Dropout, JMLR 15, 2014. Scaled in training and not in evaluation ("inverted"), as PyTorch does.
"""

import numpy as np
import torch
from numpy.typing import NDArray

from segdemo.layerlab.scene import Cell, Grid, Scene, Tap, digits
from segdemo.text import _

__all__ = ["dropout", "dropout_factors", "dropout_scene", "mean_of_draws"]

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


INPUT, FACTORS, OUTPUT = range(3)


def dropout_scene(x: Float, p: float, seed: int, training: bool, draws: int) -> Scene:
    """x (H, W), the factors, the output, and in training the mean of that many draws beside it."""
    factors = dropout_factors(x.shape, p, seed, training)
    output = x * factors
    kept = digits(1 / (1 - p))
    title = _("Factors: 0 or 1 / (1 − {p}) = {kept}", p=digits(p), kept=kept) if training else _("Evaluation: all factors are 1")
    grids = [
        Grid("input", _("Input"), x, "signed"),
        Grid("factors", title, factors, "signed", marked=factors == 0),
        Grid("output", _("Output"), output, "signed"),
    ]
    if training:
        grids.append(Grid("mean", _("Mean of {n} draws", n=draws), mean_of_draws(x, p, seed, draws), "signed"))
    taps: dict[Cell, tuple[Tap, ...]] = {}
    sums: dict[Cell, str] = {}
    for row, column in np.ndindex(x.shape):
        value, factor = float(x[row, column]), float(factors[row, column])
        taps[OUTPUT, row, column] = (Tap(INPUT, row, column, factor), Tap(FACTORS, row, column))
        sums[OUTPUT, row, column] = f"{digits(value)} · {digits(factor)} = {digits(value * factor).strip('()')}"
    dropped = int((factors == 0).sum())
    formula = _("{n} of {all} dropped; expected {p} · {all} = {expected}",
                n=dropped, all=x.size, p=digits(p), expected=digits(p * x.size))  # fmt: skip
    return Scene(tuple(grids), OUTPUT, taps, sums, formula if training else _("nothing is dropped"), _code(x, p, seed, training))


def _code(x: Float, p: float, seed: int, training: bool) -> str:
    """PyTorch, with which the same numbers come out."""
    return "\n".join([
        "import torch, torch.nn.functional as F", f"x = torch.tensor({x.tolist()}).double()", f"torch.manual_seed({seed})",
        f"print(F.dropout(x, p={p}, training={training}))",
    ])  # fmt: skip

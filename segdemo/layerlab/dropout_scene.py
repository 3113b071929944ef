"""Dropout as a scene: the input, the factors, the output, and in training the mean of many draws."""

import numpy as np
from numpy.typing import NDArray

from segdemo.layerlab.dropout import dropout_factors, mean_of_draws
from segdemo.layerlab.listing import HEAD, given
from segdemo.layerlab.scene import Cell, Grid, Scene, Tap, digits
from segdemo.text import _

__all__ = ["dropout_scene"]

Float = NDArray[np.float64]
INPUT, FACTORS, OUTPUT = range(3)


def dropout_scene(x: Float, p: float, seed: int, training: bool, draws: int, *, told: bool = True) -> Scene:
    """x (H, W), the factors, the output, and in training the mean of that many draws beside it.

    told: otherwise there are neither factors nor means, only what is kept.
    """
    factors = dropout_factors(x.shape, p, seed, training)
    output = x * factors
    kept = digits(1 / (1 - p))
    title = _("Factors: 0 or 1 / (1 − {p}) = {kept}", p=digits(p), kept=kept) if training else _("Evaluation: all factors are 1")
    grids = [
        Grid("input", _("Input"), x, "signed"),
        Grid("factors", title, factors, "signed"),
        Grid("output", _("Output"), output, "signed"),
    ]
    if not told:
        kept_or_not = (factors != 0).astype(np.float64)
        grids[FACTORS] = Grid("factors", _("Kept (1) or dropped (0)"), kept_or_not, "signed")
    elif training:
        grids.append(Grid("mean", _("Mean of {n} draws", n=draws), mean_of_draws(x, p, seed, draws), "signed"))
    taps: dict[Cell, tuple[Tap, ...]] = {}
    sums: dict[Cell, str] = {}
    for row, column in np.ndindex(x.shape):
        value, factor = float(x[row, column]), float(factors[row, column])
        taps[OUTPUT, row, column] = (Tap(INPUT, row, column, factor), Tap(FACTORS, row, column))
        sums[OUTPUT, row, column] = f"{digits(value)} · {digits(factor)} = {digits(value * factor, brackets=False)}"
    dropped = int((factors == 0).sum())
    formula = _("{n} of {all} dropped; expected {p} · {all} = {expected}",
                n=dropped, all=x.size, p=digits(p), expected=digits(p * x.size))  # fmt: skip
    return Scene(tuple(grids), OUTPUT, taps, sums, formula if training else _("nothing is dropped"), _code(x, p, seed, training))


def _code(x: Float, p: float, seed: int, training: bool) -> str:
    """PyTorch, with which the same numbers come out."""
    return "\n".join([
        HEAD, given("x", x),
        f"torch.manual_seed({seed})", f"print(F.dropout(x, p={p}, training={training}))",
    ])  # fmt: skip

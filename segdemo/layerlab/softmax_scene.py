"""Softmax as a scene: logits, their powers of e, the probabilities, and the matrix of their gradients."""

import numpy as np
from numpy.typing import NDArray

from segdemo.layerlab.listing import given
from segdemo.layerlab.scene import Cell, Grid, Scene, Tap, digits
from segdemo.layerlab.softmax import exponentials, softmax, softmax_gradient
from segdemo.text import _

__all__ = ["CLASS_TINTS", "softmax_scene"]

Float = NDArray[np.float64]
LOGITS, POWERS, PROBS, GRADIENT = range(4)
CLASS_TINTS = (2, 3, 7)  # green, pink and olive: none that says positive or negative in the gradients


def softmax_scene(logits: Float, temperature: float) -> Scene:
    """Logits (classes,), their powers of e, the probabilities, and the matrix of gradients; classes stand above each other."""
    powers, probs = exponentials(logits, temperature), softmax(logits, temperature)
    gradient = softmax_gradient(logits, temperature)
    tints = np.resize(CLASS_TINTS, len(logits))[:, None]
    grids = (
        Grid("logits", _("Logits z"), logits[:, None], "plain", tints=tints),
        Grid("powers", _("exp((z − max z) / T)"), powers[:, None], "plain"),
        Grid("probs", _("Probabilities p"), probs[:, None], "plain", tints=tints),
        Grid("gradient", _("∂p of the row / ∂z of the column"), gradient, "signed"),
    )
    taps: dict[Cell, tuple[Tap, ...]] = {}
    sums: dict[Cell, str] = {}
    classes = range(len(logits))
    largest, total = int(logits.argmax()), float(powers.sum())
    for i in classes:
        taps[POWERS, i, 0] = tuple(Tap(LOGITS, row, 0) for row in dict.fromkeys((i, largest)))
        sums[POWERS, i, 0] = _power_line(float(logits[i]), float(logits[largest]), temperature, float(powers[i]))
    for i in classes:
        taps[PROBS, i, 0] = (Tap(POWERS, i, 0), *(Tap(POWERS, j, 0) for j in classes if j != i))
        own, added = digits(float(powers[i])), " + ".join(digits(float(power)) for power in powers)
        sums[PROBS, i, 0] = f"{own} / ({added}) = {own} / {digits(total)} = {digits(float(probs[i]))}"
    for i in classes:
        for j in classes:
            taps[GRADIENT, i, j] = tuple(Tap(PROBS, row, 0) for row in dict.fromkeys((i, j)))
            sums[GRADIENT, i, j] = _gradient_line(float(probs[i]), float(probs[j]), i == j, temperature, float(gradient[i, j]))
    return Scene(grids, PROBS, taps, sums, _formula(logits, temperature, float(probs[0])), _code(logits, temperature))


def _formula(logits: Float, temperature: float, first: float) -> str:
    """The probability of class 0, filled in."""
    powers = [f"exp({digits(float(z))} / {digits(temperature)})" for z in logits]
    line = f"p₀ = {powers[0]} / ({' + '.join(powers)}) ≈ {digits(first)}"
    return _("{line}, and all p add up to 1", line=line)


def _power_line(logit: float, largest: float, temperature: float, power: float) -> str:
    line = f"exp(({digits(logit)} − {digits(largest)}) / {digits(temperature)}) = {digits(power)}"
    return _("{line} · minus max z: the same result, without overflow", line=line)


def _gradient_line(row: float, column: float, same: bool, temperature: float, value: float) -> str:
    return f"{digits(row)} · ({int(same)} − {digits(column)}) / {digits(temperature)} = {digits(value, brackets=False)}"


def _code(logits: Float, temperature: float) -> str:
    """PyTorch, with which the same numbers come out."""
    return "\n".join([
        "import torch", given("z", logits),
        f"p = lambda z: torch.softmax(z / {temperature}, dim=0)",
        "print(p(z))", "print(torch.autograd.functional.jacobian(p, z))",
    ])  # fmt: skip

"""Softmax as a scene: logits, their powers of e, the probabilities, and the matrix of their gradients."""

import numpy as np
from numpy.typing import NDArray

from segdemo.layerlab.listing import literal
from segdemo.layerlab.scene import Cell, Grid, Scene, Tap, digits
from segdemo.layerlab.softmax import exponentials, softmax, softmax_gradient
from segdemo.text import _

__all__ = ["softmax_scene"]

Float = NDArray[np.float64]
LOGITS, POWERS, PROBS, GRADIENT = range(4)


def softmax_scene(logits: Float, temperature: float) -> Scene:
    """Logits (classes,), their powers of e, the probabilities, and the matrix of gradients; classes stand above each other."""
    powers, probs = exponentials(logits, temperature), softmax(logits, temperature)
    gradient = softmax_gradient(logits, temperature)
    most, by = digits(float(logits.max())), digits(temperature)
    grids = (
        Grid("logits", _("Logits z"), logits[:, None], "signed"),
        Grid("powers", f"exp((z − {most}) / {by})", powers[:, None], "count"),
        Grid("probs", _("Probabilities p"), probs[:, None], "count"),
        Grid("gradient", _("∂p of the row / ∂z of the column"), gradient, "signed"),
    )
    taps: dict[Cell, tuple[Tap, ...]] = {}
    sums: dict[Cell, str] = {}
    classes = range(len(logits))
    largest, total = int(logits.argmax()), float(powers.sum())
    for i in classes:
        taps[POWERS, i, 0] = tuple(Tap(LOGITS, row, 0) for row in dict.fromkeys((i, largest)))
        sums[POWERS, i, 0] = f"exp(({digits(float(logits[i]))} − {most}) / {by}) = {digits(float(powers[i]), brackets=False)}"
    for i in classes:
        taps[PROBS, i, 0] = (Tap(POWERS, i, 0), *(Tap(POWERS, j, 0) for j in classes if j != i))
        own, added = digits(float(powers[i])), " + ".join(digits(float(power)) for power in powers)
        sums[PROBS, i, 0] = f"{own} / ({added}) = {own} / {digits(total)} = {digits(float(probs[i]))}"
    for i in classes:
        for j in classes:
            taps[GRADIENT, i, j] = tuple(Tap(PROBS, row, 0) for row in dict.fromkeys((i, j)))
            sums[GRADIENT, i, j] = _gradient_line(float(probs[i]), float(probs[j]), i == j, temperature, float(gradient[i, j]))
    formula = " + ".join(digits(float(p)) for p in probs) + " = 1"
    return Scene(grids, PROBS, taps, sums, formula, _code(logits, temperature))


def _gradient_line(row: float, column: float, same: bool, temperature: float, value: float) -> str:
    return f"{digits(row)} · ({int(same)} − {digits(column)}) / {digits(temperature)} = {digits(value, brackets=False)}"


def _code(logits: Float, temperature: float) -> str:
    """PyTorch, with which the same numbers come out."""
    return "\n".join([
        "import torch", f"z = torch.tensor({literal(logits)}, dtype=torch.float64)",
        f"p = lambda z: torch.softmax(z / {temperature}, dim=0)",
        "print(p(z))", "print(torch.autograd.functional.jacobian(p, z))",
    ])  # fmt: skip

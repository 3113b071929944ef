"""Reading a map out: what a stage would answer if one linear layer, fitted on this very picture, stood right behind it.

For every position of the stage, the network's own final logits, averaged over the position's area, are predicted from
the stage's channels by ridge regression. It shows what can be read off a stage linearly, not what the network says
there; and because it is fitted to the picture that it is shown on, it flatters deep stages of few positions.

How strongly the ridge holds the weights down is chosen by generalised cross-validation (Golub, Heath, Wahba, Technometrics 21,
1979, equation 1.4), in closed form from one decomposition.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from segdemo.features.placement import Rect
from segdemo.features.reach import Places
from segdemo.geometry import Size

__all__ = ["Readout", "enlarged", "linear_readout", "probabilities_of", "ridge"]

STRENGTHS = torch.logspace(-8, 1, 28, dtype=torch.float64, device="cpu")  # of the ridge, as shares of the largest eigenvalue
MOST_NUMBERS, FEWEST_POSITIONS = 2**19, 512  # to fit on: more positions change little and cost much


def probabilities_of(logits: Tensor) -> Tensor:
    """logits (C, h, w) → float32 probabilities (C, h, w) on the CPU; one logit becomes background and foreground."""
    logits = logits.float().cpu()
    if logits.shape[0] > 1:
        return logits.softmax(dim=0)
    foreground = logits[0].sigmoid()
    return torch.stack([1 - foreground, foreground])


def enlarged(logits: Tensor, size: Size) -> Tensor:
    """(C, h, w) → (C, *size), bilinear, both covering the same area."""
    return F.interpolate(logits[None], size=size, mode="bilinear", align_corners=False)[0]


@dataclass(frozen=True, eq=False)
class Readout:
    """logits: (C, h, w) as large as those that were to be matched; explained: how much of their variance at the stage's
    resolution the fit explains, 1 being all of it."""

    logits: Tensor
    explained: float


def linear_readout(activation: Tensor, logits: Tensor, stage: Rect | None = None, answer: Rect | None = None) -> Readout:
    """Fit a 1×1 read-out of a stage's map (D, h', w') to the final logits (C, h, w), and enlarge what it reads.

    `stage` and `answer` say what map and logits cover of the input; without them both cover the same area.
    """
    activation, logits = activation.float().cpu(), logits.float().cpu()
    rows, columns = _lines(activation, logits, stage, answer)
    down, across = _overlap(*rows), _overlap(*columns)  # (h', h), (w', w)
    wanted = down @ logits @ across.T  # (C, h', w'), the mean of the logits over each position's area
    inside = torch.outer(down.any(dim=1), across.any(dim=1))
    weights, bias, explained = ridge(activation[:, inside].T, wanted[:, inside].T)
    read = torch.einsum("cd,dhw->chw", weights, activation) + bias[:, None, None]
    return Readout(_between(*rows) @ read @ _between(*columns).T, explained)


def ridge(inputs: Tensor, outputs: Tensor) -> tuple[Tensor, Tensor, float]:
    """Weights (C, D) and bias (C,) that predict outputs (n, C) from inputs (n, D), and the share of variance explained.

    Inputs are standardised, the bias is free. Of more positions than are needed, evenly spaced ones are taken.
    """
    n, channels = inputs.shape
    count = min(n, max(FEWEST_POSITIONS, MOST_NUMBERS // channels))
    taken = torch.linspace(0, n - 1, count, dtype=torch.float64, device="cpu").round().long()
    x, y = inputs[taken].double(), outputs[taken].double()
    x_mean, y_mean, scale = x.mean(dim=0), y.mean(dim=0), x.std(dim=0, correction=0)
    scale = torch.where(scale > 1e-12, scale, torch.ones_like(scale))  # of a channel that is the same everywhere
    u, s, v = _decomposed((x - x_mean) / scale)
    turned, total = u.T @ (y - y_mean), float((y - y_mean).square().sum())  # (r, C)
    strength = _best_strength(s, turned, total, count)
    kept = s / (s.square() + strength)
    weights = (v @ (kept[:, None] * turned) / scale[:, None]).T  # (C, D)
    left = _left(s, turned, total, strength)
    explained = 1 - left / total if total > 0 else 1.0
    return weights.float(), (y_mean - weights @ x_mean).float(), explained


def _decomposed(z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """z (n, D) = u diag(s) vᵀ without what is zero, by way of the smaller of zᵀz and zzᵀ, which is faster."""
    wide = z.shape[1] > z.shape[0]
    squares, vectors = torch.linalg.eigh(z @ z.T if wide else z.T @ z)
    kept = squares > 1e-12 * squares[-1]
    s, vectors = squares[kept].sqrt(), vectors[:, kept]
    other = (z.T if wide else z) @ vectors / s
    return (vectors, s, other) if wide else (other, s, vectors)


def _best_strength(s: Tensor, turned: Tensor, total: float, count: int) -> float:
    """The strength whose fit would do best on positions left out, by generalised cross-validation."""
    largest = float(s[-1]) ** 2 if len(s) else 1.0
    strengths = [float(share) * largest for share in STRENGTHS]
    free = [count - 1 - float((s.square() / (s.square() + strength)).sum()) for strength in strengths]
    scores = [
        _left(s, turned, total, strength) / degrees**2 if degrees > 1e-6 * count else float("inf")
        for strength, degrees in zip(strengths, free, strict=True)
    ]
    return strengths[int(np.argmin(scores))]


def _left(s: Tensor, turned: Tensor, total: float, strength: float) -> float:
    """The sum of squares that a ridge of that strength leaves unexplained."""
    share = s.square() / (s.square() + strength)
    return max(0.0, total - float(((2 * share - share.square())[:, None] * turned.square()).sum()))


# Geometry: one axis at a time. A line is where the positions of an axis lie, and how far apart.

Line = tuple[Places, float]


def _lines(
    activation: Tensor, logits: Tensor, stage: Rect | None, answer: Rect | None
) -> tuple[tuple[Line, Line], tuple[Line, Line]]:
    """For rows and for columns: the line of the stage and that of the logits."""
    if stage is None or answer is None:
        stage = answer = Rect(0, 0, logits.shape[1], logits.shape[2])
    rows = _line(stage.top, stage.bottom, activation.shape[1]), _line(answer.top, answer.bottom, logits.shape[1])
    columns = _line(stage.left, stage.right, activation.shape[2]), _line(answer.left, answer.right, logits.shape[2])
    return rows, columns


def _line(start: float, end: float, count: int) -> Line:
    step = (end - start) / count
    return np.asarray(start + (np.arange(count) + 0.5) * step, dtype=np.float64), step


def _overlap(stage: Line, answer: Line) -> Tensor:
    """(h', h): the share of each logit in a position's area; a position that lies outside has none."""
    (a, wide), (b, narrow) = stage, answer
    lower = np.maximum(a[:, None] - wide / 2, b[None] - narrow / 2)
    upper = np.minimum(a[:, None] + wide / 2, b[None] + narrow / 2)
    length = np.maximum(upper - lower, 0)
    length[length < 1e-9 * wide] = 0
    return torch.from_numpy(length / np.maximum(length.sum(axis=1, keepdims=True), 1e-12)).float()


def _between(stage: Line, answer: Line) -> Tensor:
    """(h, h'): with which weights a logit's place is interpolated linearly from a stage's positions."""
    (a, wide), (b, _narrow) = stage, answer
    place = np.clip((b - a[0]) / wide, 0, len(a) - 1)
    return torch.from_numpy(np.maximum(0, 1 - np.abs(place[:, None] - np.arange(len(a))[None]))).float()

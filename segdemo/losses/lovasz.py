"""Lovász losses: the Jaccard loss itself, made continuous by sorting the pixels by their errors.

Berman et al., arXiv:1705.08790. ΔJ says by how much the Jaccard loss grows when the next worst pixel becomes wrong too.
"""

import torch
from torch import Tensor

from segdemo.losses.common import checked

__all__ = ["lovasz_loss"]


def lovasz_loss(logits: Tensor, target: Tensor, *, ignore_index: int = 255, per_image: bool = False) -> Tensor:
    """Σ ⟨errors in falling order, ΔJ⟩: errors max(0, 1 − z·(±1)) for one logit, |g − p| for several; 0 … ∞, or 0 … 1.

    One logit z: the Lovász hinge of the foreground. Several: the Lovász softmax, its mean over the classes that the target
    holds. per_image: each picture by itself and then the mean (a picture all ignored leaves it), instead
    of all pixels of the batch at once. An empty target costs the hinge the largest error alone, as in the authors' code.
    logits (N, C, H, W), target (N, H, W) or (N, 1, H, W). All ignored: a differentiable 0. Raises SettingError for wrong
    shapes and labels.
    """
    inputs = checked(logits, target, ignore_index)
    pictures = list(zip(*inputs, strict=True)) if per_image else [(inputs.logits.movedim(1, 0), inputs.target, inputs.valid)]
    losses = [_lovasz(scores[:, valid], labels[valid]) for scores, labels, valid in pictures if valid.any()]
    return torch.stack(losses).mean() if losses else 0 * inputs.logits.sum()


def _lovasz(scores: Tensor, labels: Tensor) -> Tensor:
    """The loss of P pixels at once: scores are logits (C, P), labels (P,)."""
    if len(scores) == 1:
        sign = 2 * labels - 1
        return _extension((1 - scores[0] * sign).relu(), labels == 1)
    probs = scores.softmax(dim=0)
    present = [(p, labels == c) for c, p in enumerate(probs) if (labels == c).any()]
    return torch.stack([_extension((g.to(p.dtype) - p).abs(), g) for p, g in present]).mean()


def _extension(errors: Tensor, truth: Tensor) -> Tensor:
    """⟨errors in falling order, ΔJ⟩ of errors (P,) and truth (P,) bool."""
    falling, order = errors.sort(descending=True, stable=True)
    return (falling * _jaccard_steps(truth[order]).to(errors.dtype)).sum()


def _jaccard_steps(truth: Tensor) -> Tensor:
    """ΔJ (P,): J is 1 − I/U once the first i pixels are wrong; truth (P,) bool, worst pixel first.

    A wrong foreground pixel lowers I by one, a wrong background pixel raises U by one. The step is then 1/U or
    I/(U·(U−1)): the difference of two neighbours of J would lose its digits to cancellation.
    """
    size = truth.sum()
    if size == 0:  # any wrong pixel makes J = 1
        return (torch.arange(len(truth), device=truth.device) == 0).float()
    intersection = size - truth.cumsum(0)
    union = size + (~truth).cumsum(0)
    return torch.where(truth, 1 / union, intersection / union / (union - 1).clamp(min=1))

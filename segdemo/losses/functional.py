"""Losses as pure functions from logits (N, C, H, W) and target (N, H, W) or (N, 1, H, W) int64 to a scalar.

C = 1 is binary: one logit, target 0 or 1. Pixels whose target is `ignore_index` count nowhere. Sums run in float32,
because in half precision the pixels of one 512×512 picture already overflow. With every pixel ignored each loss is a
differentiable 0.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from segdemo.errors import SettingError

__all__ = ["bce_dice_loss", "bce_loss", "cross_entropy_loss", "dice_loss"]


def _validate(logits: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """logits in float32 (float64 stays), target as (N, H, W). Raises SettingError where the shapes do not fit."""
    if target.ndim == 4 and target.shape[1] == 1:
        target = target[:, 0]
    if logits.ndim != 4 or target.shape != (logits.shape[0], *logits.shape[2:]):
        raise SettingError(f"logits {tuple(logits.shape)} and target {tuple(target.shape)} do not fit together.")
    return (logits if logits.dtype == torch.float64 else logits.float()), target


def bce_loss(logits: Tensor, target: Tensor, *, ignore_index: int = 255) -> Tensor:
    """Binary cross entropy −[y log p + (1−y) log(1−p)], mean over the pixels that are not ignored. C must be 1."""
    logits, target = _validate(logits, target)
    if logits.shape[1] != 1:
        raise SettingError(f"Binary cross entropy takes one logit a pixel, not {logits.shape[1]}.")
    valid = target != ignore_index
    per_pixel = F.binary_cross_entropy_with_logits(logits[:, 0], (target == 1).to(logits.dtype), reduction="none")
    return (per_pixel * valid).sum() / valid.sum().clamp(min=1)


def cross_entropy_loss(logits: Tensor, target: Tensor, *, ignore_index: int = 255) -> Tensor:
    """Softmax cross entropy −log p_target, mean over the pixels that are not ignored. C must be 2 or more."""
    logits, target = _validate(logits, target)
    if logits.shape[1] < 2:
        raise SettingError("Softmax cross entropy takes at least two logits a pixel; use bce_loss for one.")
    total = F.cross_entropy(logits, target, ignore_index=ignore_index, reduction="sum")
    return total / (target != ignore_index).sum().clamp(min=1)


def dice_loss(logits: Tensor, target: Tensor, *, ignore_index: int = 255, smooth: float = 1.0) -> Tensor:
    """1 − (2Σpg + s)/(Σp + Σg + s), sums pooled over the batch; mean over the classes (all C; or the one, if binary).

    Milletari et al., arXiv:1606.04797, without squares in the denominator. With `smooth` > 0 an absent class that is
    not predicted costs nothing.
    """
    logits, target = _validate(logits, target)
    valid = (target != ignore_index).unsqueeze(1)  # (N, 1, H, W)
    if logits.shape[1] == 1:
        probs, truth = logits.sigmoid(), (target == 1).unsqueeze(1)
    else:
        probs = logits.softmax(dim=1)
        labels = target.masked_fill(~valid[:, 0], 0)
        truth = F.one_hot(labels, logits.shape[1]).movedim(-1, 1).bool()
    probs = probs * valid
    truth = (truth & valid).to(probs.dtype)
    intersection = (probs * truth).sum(dim=(0, 2, 3))  # (C,)
    denominator = probs.sum(dim=(0, 2, 3)) + truth.sum(dim=(0, 2, 3))
    if smooth == 0:
        denominator = denominator.clamp(min=torch.finfo(probs.dtype).eps)
    present = valid.any().to(probs.dtype)
    return (1 - (2 * intersection + smooth) / (denominator + smooth)).mean() * present


def bce_dice_loss(logits: Tensor, target: Tensor, *, ignore_index: int = 255) -> Tensor:
    """Cross entropy (binary for C = 1, softmax otherwise) plus Dice, the mixture nnU-Net trains with."""
    cross_entropy = bce_loss if logits.shape[1] == 1 else cross_entropy_loss
    return cross_entropy(logits, target, ignore_index=ignore_index) + dice_loss(logits, target, ignore_index=ignore_index)

"""Cross entropy, the surprise at the truth: binary, binary with a weight for the rare class, and softmax.

Each pixel is judged by itself and all count alike, so that the many decide: a net that finds no foreground at all is
right on 99 % of a picture with 1 % foreground.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from segdemo.errors import SettingError
from segdemo.losses.common import check_number, checked, mean_over
from segdemo.text import _

__all__ = ["bce_loss", "cross_entropy_loss", "weighted_bce_loss"]


def bce_loss(logits: Tensor, target: Tensor, *, ignore_index: int = 255) -> Tensor:
    """Binary cross entropy −[y log p + (1−y) log(1−p)], mean over the pixels that are not ignored; 0 … ∞.

    logits (N, 1, H, W), target (N, H, W) or (N, 1, H, W) of 0 and 1. An empty target is nothing special; with all
    pixels ignored a differentiable 0. Raises SettingError for wrong shapes and labels, or several logits a pixel.
    """
    logits, target, valid = checked(logits, target, ignore_index)
    _one_logit(logits)
    per_pixel = F.binary_cross_entropy_with_logits(logits[:, 0], (target == 1).to(logits.dtype), reduction="none")
    return mean_over(per_pixel, valid)


def weighted_bce_loss(
    logits: Tensor,
    target: Tensor,
    *,
    ignore_index: int = 255,
    pos_weight: float | None = None,
    weight_map: Tensor | None = None,
) -> Tensor:
    """−[w y log p + (1−y) log(1−p)], mean over the pixels that are not ignored; 0 … ∞. C must be 1.

    pos_weight: w. None balances the batch: w = background pixels / foreground pixels, so that both classes weigh the
    same in sum; a batch that holds only one of them is not weighted (w = 1).
    weight_map: (N, H, W), 0 or more: another factor for each pixel, as in Ronneberger et al., arXiv:1505.04597, eq. 1
    (`separation_weights` is its eq. 2).
    The divisor is the number of pixels, not the sum of weights. All ignored: a differentiable 0. Raises SettingError
    for wrong shapes and labels, several logits a pixel, or a weight that is negative.
    """
    logits, target, valid = checked(logits, target, ignore_index)
    _one_logit(logits)
    truth = target == 1
    if pos_weight is not None:
        check_number("pos_weight", pos_weight, 0)
    weight = _balance(truth, valid) if pos_weight is None else torch.tensor(pos_weight)
    per_pixel = F.binary_cross_entropy_with_logits(
        logits[:, 0], truth.to(logits.dtype), pos_weight=weight.to(logits), reduction="none"
    )
    if weight_map is not None:
        per_pixel = per_pixel * _fitting_map(weight_map, valid).to(per_pixel)
    return mean_over(per_pixel, valid)


def cross_entropy_loss(
    logits: Tensor, target: Tensor, *, ignore_index: int = 255, class_weights: Sequence[float] | Tensor | None = None
) -> Tensor:
    """Softmax cross entropy −w_y log p_y, mean over the pixels that are not ignored; 0 … ∞. C must be 2 or more.

    logits (N, C, H, W), target (N, H, W) or (N, 1, H, W) of 0 … C − 1. class_weights: w, one number a class. The divisor
    is the number of pixels, where torch's own divides by the sum of their weights; so weights 1 and w for two classes
    are `weighted_bce_loss` with pos_weight w. All ignored: a differentiable 0. Raises SettingError for wrong shapes and
    labels, one logit a pixel, or weights that are not C numbers of 0 or more.
    """
    logits, target, valid = checked(logits, target, ignore_index)
    classes = logits.shape[1]
    if classes < 2:
        raise SettingError(_("Softmax cross entropy takes at least two logits a pixel; bce takes one."))
    weights = None if class_weights is None else torch.as_tensor(class_weights).to(logits)
    if weights is not None and (weights.shape != (classes,) or not (weights.isfinite() & (weights >= 0)).all()):
        raise SettingError(_("class_weights are {classes} numbers of 0 or more, one a class.", classes=classes))
    total = F.cross_entropy(logits, target.masked_fill(~valid, -100), weights, ignore_index=-100, reduction="sum")
    return total / valid.sum().clamp(min=1)


def _one_logit(logits: Tensor) -> None:
    if logits.shape[1] != 1:
        raise SettingError(_("Binary cross entropy takes one logit a pixel, not {channels}.", channels=logits.shape[1]))


def _balance(truth: Tensor, valid: Tensor) -> Tensor:
    """Background pixels to each foreground pixel; 1 where one of the two is absent."""
    foreground, background = (truth & valid).sum(), (~truth & valid).sum()
    return torch.where((foreground > 0) & (background > 0), background / foreground.clamp(min=1), 1)


def _fitting_map(weight_map: Tensor, valid: Tensor) -> Tensor:
    """The map (N, H, W), 0 at ignored pixels."""
    if weight_map.shape != valid.shape:
        shapes = {"map": tuple(weight_map.shape), "target": tuple(valid.shape)}
        raise SettingError(_("The weight map {map} must have the target's shape {target}.", **shapes))
    weight_map = weight_map.masked_fill(~valid, 0)
    if not (weight_map.isfinite() & (weight_map >= 0)).all():
        raise SettingError(_("A weight map holds numbers of 0 or more."))
    return weight_map

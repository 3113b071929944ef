"""Losses of overlap: Dice, IoU (Jaccard), Tversky and focal Tversky, from soft areas of prediction p and truth g.

TP = Σpg, FP = Σp(1−g), FN = Σ(1−p)g; then Dice is 2TP/(2TP+FP+FN), IoU is TP/(TP+FP+FN), and Tversky weighs FP by α and
FN by β. A ratio of areas does not care how much background there is. What all four share:

- logits (N, C, H, W); C = 1 is binary and scores the foreground alone, several are scored each and averaged, background
  too. target (N, H, W) or (N, 1, H, W). Ignored pixels leave every sum; all ignored is a differentiable 0.
- per_image: sums over each picture and then a mean (a picture all ignored leaves it), instead of sums over the batch.
- smooth: s, added above and below. With s = 0 the divisor is kept above 0.
- empty: what a class costs that the target does not hold. "smooth": what the formula gives, nearly 0 if nothing is
  predicted and s > 0, else 1; "skip": it leaves the mean; "zero" or "one": that constant, without a gradient.
- SettingError is raised for wrong shapes and labels, for numbers below 0, and for another `empty`.
"""

from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor

from segdemo.losses.common import check_choice, check_number, checked, probs_and_truth

__all__ = ["EmptyPolicy", "dice_loss", "focal_tversky_loss", "iou_loss", "tversky_loss"]

EmptyPolicy = Literal["smooth", "skip", "zero", "one"]


def dice_loss(
    logits: Tensor,
    target: Tensor,
    *,
    ignore_index: int = 255,
    smooth: float = 1.0,
    squared: bool = False,
    per_image: bool = False,
    empty: EmptyPolicy = "smooth",
) -> Tensor:
    """1 − (2Σpg + s)/(Σp + Σg + s), or with Σp² + Σg² below if `squared`; 0 … 1.

    Squared is V-Net's: Milletari et al., arXiv:1606.04797, sec. 3. The other options, empty targets and errors are
    those of this module's text.
    """
    area = _areas(logits, target, ignore_index, smooth, per_image)
    p, g = area.p, area.g
    sizes = area.total(p * p) + area.total(g) if squared else area.total(p) + area.total(g)  # g² = g
    return area.mean(1 - _ratio(2 * area.total(p * g), sizes, smooth), empty)


def iou_loss(
    logits: Tensor,
    target: Tensor,
    *,
    ignore_index: int = 255,
    smooth: float = 1.0,
    per_image: bool = False,
    empty: EmptyPolicy = "smooth",
) -> Tensor:
    """1 − (TP + s)/(TP + FP + FN + s), the soft Jaccard distance; 0 … 1.

    Rahman & Wang, "Optimizing intersection-over-union in deep neural networks for image segmentation", ISVC 2016.
    Tversky with α = β = 1. Options, empty targets and errors are those of this module's text.
    """
    area = _areas(logits, target, ignore_index, smooth, per_image)
    p, g = area.p, area.g
    intersection, union = area.total(p * g), area.total(p + g - p * g)
    return area.mean(1 - _ratio(intersection, union, smooth), empty)


def tversky_loss(
    logits: Tensor,
    target: Tensor,
    *,
    ignore_index: int = 255,
    alpha: float = 0.3,
    beta: float = 0.7,
    smooth: float = 1.0,
    per_image: bool = False,
    empty: EmptyPolicy = "smooth",
) -> Tensor:
    """1 − (TP + s)/(TP + αFP + βFN + s): α weighs false positives, β false negatives; 0 … 1.

    Salehi et al., arXiv:1706.05721, with the weights that did best there. α = β = ½ is Dice (with half its s).
    Other options, empty targets and errors are those of this module's text.
    """
    area = _areas(logits, target, ignore_index, smooth, per_image)
    return area.mean(1 - area.tversky_index(alpha, beta, smooth), empty)


def focal_tversky_loss(
    logits: Tensor,
    target: Tensor,
    *,
    ignore_index: int = 255,
    alpha: float = 0.3,
    beta: float = 0.7,
    gamma: float = 0.75,
    smooth: float = 1.0,
    per_image: bool = False,
    empty: EmptyPolicy = "smooth",
) -> Tensor:
    """(1 − TI)^γ, averaged over the classes, TI the Tversky index; 0 … 1.

    Abraham & Khan, arXiv:1810.07842, who write the exponent 1/γ and take γ = 4/3: here γ is the exponent itself,
    their ¾. Their α weighs false negatives, ours false positives, as in `tversky_loss`. γ < 1 is steepest near the
    perfect prediction. Other options, empty targets and errors are those of this module's text.
    """
    check_number("gamma", gamma, 0)
    area = _areas(logits, target, ignore_index, smooth, per_image)
    return area.mean(_power(1 - area.tversky_index(alpha, beta, smooth), gamma), empty)


class _Areas(NamedTuple):
    """p and g (N, C, H, W), 0 at ignored pixels, and how to sum them. R rows: one a picture, or one for all."""

    p: Tensor
    g: Tensor
    valid: Tensor  # (N, H, W)
    per_image: bool

    def total(self, values: Tensor) -> Tensor:
        """Sums (R, C) of (N, C, H, W)."""
        return values.sum(dim=(2, 3)) if self.per_image else values.sum(dim=(0, 2, 3))[None]

    def tversky_index(self, alpha: float, beta: float, smooth: float) -> Tensor:
        """(R, C): (TP + s)/(TP + αFP + βFN + s)."""
        check_number("alpha", alpha, 0)
        check_number("beta", beta, 0)
        p, g = self.p, self.g
        tp, fp, fn = self.total(p * g), self.total(p * (1 - g)), self.total((1 - p) * g)
        return _ratio(tp, tp + alpha * fp + beta * fn, smooth)

    def mean(self, loss: Tensor, empty: EmptyPolicy) -> Tensor:
        """Mean of losses (R, C), an absent class after its policy; rows without a valid pixel do not count."""
        check_choice("empty", empty, get_args(EmptyPolicy))
        present = self.total(self.g) > 0
        known = self.valid.flatten(1).any(dim=1, keepdim=True)  # (N, 1)
        counted = (known if self.per_image else known.any()[None, None]).expand_as(loss)
        if empty == "skip":
            counted = counted & present
        elif empty != "smooth":
            loss = loss.masked_fill(~present, 0 if empty == "zero" else 1)
        return (loss * counted).sum() / counted.sum().clamp(min=1)


def _areas(logits: Tensor, target: Tensor, ignore_index: int, smooth: float, per_image: bool) -> _Areas:
    check_number("smooth", smooth, 0)
    inputs = checked(logits, target, ignore_index)
    return _Areas(*probs_and_truth(*inputs), inputs.valid, per_image)


def _ratio(part: Tensor, whole: Tensor, smooth: float) -> Tensor:
    """(part + s)/(whole + s), its divisor kept above 0."""
    return (part + smooth) / (whole + smooth).clamp(min=torch.finfo(whole.dtype).eps)


def _power(x: Tensor, gamma: float) -> Tensor:
    """x^γ for x ≥ 0; a straight line to 0 below the rounding error, where the gradient of x^γ is infinite for γ < 1."""
    return x * x.clamp(min=torch.finfo(x.dtype).eps) ** (gamma - 1)

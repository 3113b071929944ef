"""Cross entropy that looks at the hard pixels: Focal turns the easy ones down, OHEM leaves them out.

Both see one logit z as two classes with the logits 0 and z, so that the binary and the softmax form are one formula.
"""

import math

import torch
from torch import Tensor

from segdemo.losses.common import check_number, checked, log_prob, mean_over

__all__ = ["focal_loss", "ohem_loss"]


def focal_loss(
    logits: Tensor, target: Tensor, *, ignore_index: int = 255, alpha: float | None = 0.25, gamma: float = 2.0
) -> Tensor:
    """−α_t (1 − p_t)^γ log p_t, p_t the probability of the true class; mean over the pixels not ignored; 0 … ∞.

    Lin et al., arXiv:1708.02002, eq. 5. The mean is over all pixels, as in torchvision, where the paper divides by the
    number of objects. α_t is α for foreground and 1 − α for background; None: no weights. Several classes go through
    one softmax, and class 0 is the background (as in MONAI; smp's takes one sigmoid a class instead). γ = 0 is cross
    entropy weighted by α_t. (1 − p_t)^γ is computed as exp(γ log(1 − p_t)), whose gradient exists for γ < 1 too.
    logits (N, C, H, W), target (N, H, W) or (N, 1, H, W). An empty target is nothing special; all ignored: a
    differentiable 0. Raises SettingError for wrong shapes and labels, α outside 0 … 1, or γ below 0.
    """
    logits, target, valid = checked(logits, target, ignore_index)
    check_number("gamma", gamma, 0)
    truth = target[:, None]
    log_p = log_prob(logits)
    log_pt = log_p.gather(1, truth)[:, 0]
    log_others = log_p.scatter(1, truth, -math.inf).logsumexp(dim=1)  # log(1 − p_t), without cancellation
    loss = -torch.exp(gamma * log_others) * log_pt
    if alpha is not None:
        check_number("alpha", alpha, 0, 1)
        loss = torch.where(target > 0, alpha, 1 - alpha) * loss
    return mean_over(loss, valid)


def ohem_loss(
    logits: Tensor, target: Tensor, *, ignore_index: int = 255, threshold: float = 0.7, min_kept: float = 1 / 16
) -> Tensor:
    """Mean cross entropy −log p_t over the hard pixels: those with p_t ≤ max(threshold, the k-th smallest p_t); 0 … ∞.

    Online hard example mining: Shrivastava et al., arXiv:1604.03540, in the form segmentation uses. k pixels are kept
    even if all are easy: `min_kept` from 1 on is k itself, below 1 a share of the batch's pixels (rounded up). Pixels
    equal to the k-th all stay, so that no order decides; k ≥ N is plain cross entropy; k = 0 on an easy batch is 0.
    logits (N, C, H, W), C = 1 binary, target (N, H, W) or (N, 1, H, W). All ignored: a differentiable 0. Raises
    SettingError for wrong shapes and labels, a threshold outside 0 … 1, or min_kept below 0.
    """
    logits, target, valid = checked(logits, target, ignore_index)
    check_number("threshold", threshold, 0, 1)
    check_number("min_kept", min_kept, 0)
    surprise = -log_prob(logits).gather(1, target[:, None])[:, 0]  # −log p_t: large where p_t is small
    least = -math.log(threshold) if threshold else math.inf
    hard = valid & (surprise >= min(least, _kth_largest(surprise[valid].detach(), min_kept)))
    return mean_over(surprise, hard)


def _kth_largest(values: Tensor, min_kept: float) -> float:
    """The k-th largest of the values (P,), the smallest for k ≥ P, infinity for k = 0."""
    k = min(len(values), math.ceil(min_kept if min_kept >= 1 else min_kept * len(values)))
    return values.topk(k).values[-1].item() if k else math.inf

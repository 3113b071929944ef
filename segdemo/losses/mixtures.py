"""Weighted sums: a loss of pixels for a smooth start, a loss of regions for what is measured in the end.

Shapes, ignored pixels, empty targets and errors are those of the parts. A weight below 0 raises SettingError.
"""

from torch import Tensor

from segdemo.losses.common import check_number
from segdemo.losses.cross_entropy import bce_loss, cross_entropy_loss
from segdemo.losses.hard_pixels import focal_loss
from segdemo.losses.ms_ssim import ms_ssim_loss
from segdemo.losses.overlap import dice_loss, iou_loss

__all__ = ["bce_dice_loss", "focal_dice_loss", "unet3_plus_loss"]


def bce_dice_loss(
    logits: Tensor,
    target: Tensor,
    *,
    ignore_index: int = 255,
    bce_weight: float = 1.0,
    dice_weight: float = 1.0,
    smooth: float = 1.0,
) -> Tensor:
    """w₁·cross entropy + w₂·Dice, the mixture nnU-Net trains with; 0 … ∞. Softmax cross entropy where C > 1.

    Isensee et al., arXiv:1904.08128. logits (N, C, H, W), target (N, H, W) or (N, 1, H, W).
    """
    _check_weights(bce_weight=bce_weight, dice_weight=dice_weight)
    cross_entropy = cross_entropy_loss if logits.ndim == 4 and logits.shape[1] > 1 else bce_loss
    pixels = cross_entropy(logits, target, ignore_index=ignore_index)
    return bce_weight * pixels + dice_weight * dice_loss(logits, target, ignore_index=ignore_index, smooth=smooth)


def focal_dice_loss(
    logits: Tensor,
    target: Tensor,
    *,
    ignore_index: int = 255,
    focal_weight: float = 1.0,
    dice_weight: float = 1.0,
    alpha: float | None = 0.25,
    gamma: float = 2.0,
    smooth: float = 1.0,
) -> Tensor:
    """w₁·Focal(α, γ) + w₂·Dice; 0 … ∞. Zhu et al., "AnatomyNet", arXiv:1808.05238, where w₁ is λ.

    logits (N, C, H, W), target (N, H, W) or (N, 1, H, W).
    """
    _check_weights(focal_weight=focal_weight, dice_weight=dice_weight)
    pixels = focal_loss(logits, target, ignore_index=ignore_index, alpha=alpha, gamma=gamma)
    return focal_weight * pixels + dice_weight * dice_loss(logits, target, ignore_index=ignore_index, smooth=smooth)


def unet3_plus_loss(
    logits: Tensor,
    target: Tensor,
    *,
    ignore_index: int = 255,
    focal_weight: float = 1.0,
    ms_ssim_weight: float = 1.0,
    iou_weight: float = 1.0,
    alpha: float | None = 0.25,
    gamma: float = 2.0,
    smooth: float = 1.0,
) -> Tensor:
    """w₁·Focal(α, γ) + w₂·MS-SSIM + w₃·IoU: pixel, patch and map; 0 … ∞. Huang et al., arXiv:2004.08790, sec. 2.2.

    logits (N, C, H, W), target (N, H, W) or (N, 1, H, W).
    """
    _check_weights(focal_weight=focal_weight, ms_ssim_weight=ms_ssim_weight, iou_weight=iou_weight)
    pixel = focal_loss(logits, target, ignore_index=ignore_index, alpha=alpha, gamma=gamma)
    patch = ms_ssim_loss(logits, target, ignore_index=ignore_index)
    whole = iou_loss(logits, target, ignore_index=ignore_index, smooth=smooth)
    return focal_weight * pixel + ms_ssim_weight * patch + iou_weight * whole


def _check_weights(**weights: float) -> None:
    for name, weight in weights.items():
        check_number(name, weight, 0)

"""Losses: pure functions, one thin class over them, and the registry `LOSSES` by name. What each means stands in `FACTS`."""

import inspect
from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from segdemo.errors import SettingError
from segdemo.losses.boundary import boundary_loss, separation_weights, signed_distance
from segdemo.losses.cross_entropy import bce_loss, cross_entropy_loss, weighted_bce_loss
from segdemo.losses.facts import FACTS, LossFacts, LossOption
from segdemo.losses.hard_pixels import focal_loss, ohem_loss
from segdemo.losses.lovasz import lovasz_loss
from segdemo.losses.mixtures import bce_dice_loss, focal_dice_loss, unet3_plus_loss
from segdemo.losses.ms_ssim import ms_ssim_loss
from segdemo.losses.overlap import EmptyPolicy, dice_loss, focal_tversky_loss, iou_loss, tversky_loss
from segdemo.text import _

__all__ = [
    "FACTS", "LOSSES", "EmptyPolicy", "Loss", "LossFacts", "LossOption", "bce_dice_loss", "bce_loss", "boundary_loss",
    "create_loss", "cross_entropy_loss", "dice_loss", "focal_dice_loss", "focal_loss", "focal_tversky_loss", "iou_loss",
    "lovasz_loss", "ms_ssim_loss", "ohem_loss", "separation_weights", "signed_distance", "tversky_loss", "unet3_plus_loss",
    "weighted_bce_loss",
]  # fmt: skip

LOSSES: dict[str, Callable[..., Tensor]] = {
    "bce": bce_loss,
    "weighted_bce": weighted_bce_loss,
    "cross_entropy": cross_entropy_loss,
    "focal": focal_loss,
    "ohem": ohem_loss,
    "dice": dice_loss,
    "iou": iou_loss,
    "tversky": tversky_loss,
    "focal_tversky": focal_tversky_loss,
    "lovasz": lovasz_loss,
    "boundary": boundary_loss,
    "ms_ssim": ms_ssim_loss,
    "bce_dice": bce_dice_loss,
    "focal_dice": focal_dice_loss,
    "unet3_plus": unet3_plus_loss,
}


class Loss(nn.Module):
    """A loss function with its options bound, for where a module is wanted."""

    def __init__(self, function: Callable[..., Tensor], **options: Any) -> None:
        super().__init__()
        self.function = function
        self.options = options

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Scalar loss of logits (N, C, H, W) and target (N, H, W) or (N, 1, H, W)."""
        return self.function(logits, target, **self.options)


def create_loss(name: str, **options: Any) -> Loss:
    """The loss of that name. Raises SettingError for a name that does not exist, or an option that it does not have."""
    if name not in LOSSES:
        raise SettingError(_('There is no loss "{name}". These exist: {names}.', name=name, names=", ".join(LOSSES)))
    known = inspect.getfullargspec(LOSSES[name]).kwonlyargs
    for option in options:
        if option not in known:
            raise SettingError(_('The loss "{name}" has no option "{option}". It has: {known}.',
                                 name=name, option=option, known=", ".join(known)))  # fmt: skip
    return Loss(LOSSES[name], **options)

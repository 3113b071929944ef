"""Losses: pure functions, one thin class over them, and the registry `LOSSES` by name."""

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from segdemo.errors import SettingError
from segdemo.losses.functional import bce_dice_loss, bce_loss, cross_entropy_loss, dice_loss
from segdemo.text import _

__all__ = ["LOSSES", "Loss", "bce_dice_loss", "bce_loss", "create_loss", "cross_entropy_loss", "dice_loss"]

LOSSES: dict[str, Callable[..., Tensor]] = {
    "bce": bce_loss,
    "cross_entropy": cross_entropy_loss,
    "dice": dice_loss,
    "bce_dice": bce_dice_loss,
}


class Loss(nn.Module):
    """A loss function with its options bound, for where a module is wanted."""

    def __init__(self, function: Callable[..., Tensor], **options: Any) -> None:
        super().__init__()
        self.function = function
        self.options = options

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Scalar loss of logits (N, C, H, W) and target (N, H, W)."""
        return self.function(logits, target, **self.options)


def create_loss(name: str, **options: Any) -> Loss:
    """The loss of that name. Raises SettingError for a name that does not exist."""
    if name not in LOSSES:
        raise SettingError(_('There is no loss "{name}". These exist: {names}.', name=name, names=", ".join(LOSSES)))
    return Loss(LOSSES[name], **options)

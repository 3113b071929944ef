"""What one training step minimises: the loss of every head, or how badly a picture was drawn again."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segdemo.losses import create_loss
from segdemo.models.supervision import Supervision
from segdemo.types import IGNORE_INDEX, Task

__all__ = ["Objective", "create_objective", "supervised_loss"]

Objective = Callable[[nn.Module, Tensor, Tensor], Tensor]
Loss = Callable[[Tensor, Tensor], Tensor]


def create_objective(task: Task, loss: str, **options: Any) -> Objective:
    """A function of network, image (N, 3, H, W) and target (N, H, W) that gives the scalar to minimise.

    `options` are the loss's. Raises SettingError for a loss or an option that does not exist.
    """
    if task == "reconstruct":
        return lambda model, image, _target: F.mse_loss(model(image).float(), image)
    function: Loss = create_loss(loss, **options)

    def objective(model: nn.Module, image: Tensor, target: Tensor) -> Tensor:
        supervise: Callable[[Tensor], Supervision] | None = getattr(model, "supervise", None)
        return (
            function(_fitted(model(image), target), target)
            if supervise is None
            else supervised_loss(supervise(image), target, function)
        )

    return objective


def supervised_loss(supervision: Supervision, target: Tensor, loss: Loss) -> Tensor:
    """The heads' losses by their weights, each against the target at its own size, and the classifier's cross entropy."""
    total = torch.zeros((), device=target.device)
    for logits, weight in zip(supervision.heads, supervision.weights, strict=True):
        if weight:
            total = total + weight * loss(logits, _at(target, logits.shape[-2:]))
    if supervision.presence is not None:
        occurs, known = _occurs(target, supervision.presence.shape[1])
        errors = F.binary_cross_entropy_with_logits(supervision.presence.float(), occurs, reduction="none")
        total = total + (errors * known).sum() / known.sum().clamp(min=1)
    return total


def _fitted(logits: Tensor, target: Tensor) -> Tensor:
    """The logits of a network that answers for every few pixels only, enlarged bilinearly to the target's size."""
    if logits.shape[-2:] == target.shape[-2:]:
        return logits
    return F.interpolate(logits, size=target.shape[-2:], mode="bilinear", align_corners=False)


def _at(target: Tensor, size: torch.Size) -> Tensor:
    """The target (N, H, W) at a head's resolution, by nearest neighbour."""
    if target.shape[-2:] == size:
        return target
    return F.interpolate(target[:, None].float(), size=size, mode="nearest-exact")[:, 0].long()


def _occurs(target: Tensor, classes: int) -> tuple[Tensor, Tensor]:
    """(N, classes) float: whether foreground class 1 … occurs in each target; and the same shape: whether that is known.

    A class that was not found may still lie under ignored pixels.
    """
    found = torch.stack([(target == index).flatten(1).any(dim=1) for index in range(1, classes + 1)], dim=1)
    complete = (target != IGNORE_INDEX).flatten(1).all(dim=1, keepdim=True)
    return found.float(), (found | complete).float()

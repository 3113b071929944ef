"""How far each step goes: the optimisers by name, and what becomes of the learning rate in the course of a run."""

import math
from collections.abc import Iterable
from typing import Literal, get_args

import torch
from torch import nn

from segdemo.errors import SettingError
from segdemo.text import _

__all__ = ["OPTIMIZERS", "SCHEDULES", "OptimizerName", "Schedule", "create_optimizer", "learning_rate_factor"]

OptimizerName = Literal["adamw", "sgd"]
Schedule = Literal["cosine", "constant", "step"]
OPTIMIZERS: tuple[OptimizerName, ...] = get_args(OptimizerName)
SCHEDULES: tuple[Schedule, ...] = get_args(Schedule)

LAST_SHARE = 0.01  # of the learning rate, at the end of the cosine
DROPS = (2 / 3, 8 / 9)  # shares of the run after which "step" goes on with a tenth


def create_optimizer(
    name: OptimizerName, parameters: Iterable[nn.Parameter], learning_rate: float, *, weight_decay: float, momentum: float
) -> torch.optim.Optimizer:
    """AdamW (Loshchilov & Hutter, arXiv:1711.05101), or SGD with Nesterov's momentum (0: plain). Raises SettingError."""
    if name == "adamw":
        return torch.optim.AdamW(parameters, learning_rate, weight_decay=weight_decay)
    if name == "sgd":
        return torch.optim.SGD(parameters, learning_rate, momentum=momentum, nesterov=momentum > 0, weight_decay=weight_decay)
    raise SettingError(_('There is no optimiser "{name}". These exist: {names}.', name=name, names=", ".join(OPTIMIZERS)))


def learning_rate_factor(step: int, steps: int, warmup_steps: int, schedule: Schedule) -> float:
    """What the learning rate is multiplied with after `step` of `steps` steps, 0–1.

    A straight climb over `warmup_steps`; then "constant" stays, "cosine" falls to a hundredth (Loshchilov & Hutter,
    arXiv:1608.03983, without restarts), "step" falls to a tenth after 2/3 of the run and to a hundredth after 8/9.
    Raises SettingError for another schedule.
    """
    if schedule not in SCHEDULES:
        names = ", ".join(SCHEDULES)
        raise SettingError(_('There is no schedule "{name}". These exist: {names}.', name=schedule, names=names))
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    if schedule == "constant":
        return 1.0
    if schedule == "step":
        return 0.1 ** sum(step >= share * steps for share in DROPS)
    progress = (step - warmup_steps) / max(1, steps - warmup_steps)
    return LAST_SHARE + (1 - LAST_SHARE) * 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))

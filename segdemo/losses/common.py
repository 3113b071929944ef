"""What every loss begins and ends with: checked shapes and labels, ignored pixels out of the way, probabilities, means."""

import math
from numbers import Real
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from segdemo.errors import SettingError
from segdemo.text import _

__all__ = ["Checked", "check_choice", "check_number", "checked", "log_prob", "mean_over", "probs_and_truth"]


class Checked(NamedTuple):
    """Logits and target that fit together; what stands at ignored pixels no longer matters."""

    logits: Tensor  # (N, C, H, W) float32 or float64; 0 at ignored pixels, whatever stood there
    target: Tensor  # (N, H, W) int64; 0 at ignored pixels
    valid: Tensor  # (N, H, W) bool: not ignored


def checked(logits: Tensor, target: Tensor, ignore_index: int) -> Checked:
    """Logits (N, C, H, W) and target (N, H, W) or (N, 1, H, W), ready for arithmetic.

    Half precision becomes float32, because it ends at 65,504: fewer than the pixels of a 512×512 picture. Raises
    SettingError where the shapes do not fit, or where the target has labels beyond 0 … C − 1 (C = 1: 0 and 1).
    """
    if target.ndim == 4 and target.shape[1] == 1:
        target = target[:, 0]
    if logits.ndim != 4 or not logits.shape[1] or target.shape != (logits.shape[0], *logits.shape[2:]):
        shapes = {"logits": tuple(logits.shape), "target": tuple(target.shape)}
        raise SettingError(_("The logits {logits} and the target {target} do not fit together.", **shapes))
    if target.is_floating_point() or target.is_complex():
        raise SettingError(_("The target holds whole class numbers, not {kind}.", kind=target.dtype))
    valid = target != ignore_index
    target = target.long().masked_fill(~valid, 0)
    classes = max(2, logits.shape[1])
    if ((target < 0) | (target >= classes)).any():
        found = {"lowest": int(target.min()), "highest": int(target.max())}
        raise SettingError(
            _("The target's labels must lie between 0 and {last}; found {lowest} to {highest}.", last=classes - 1, **found)
        )
    logits = logits if logits.dtype == torch.float64 else logits.float()
    return Checked(logits.masked_fill(~valid[:, None], 0), target, valid)


def check_number(name: str, value: object, low: float, high: float = math.inf) -> None:
    """Raises SettingError unless `value` is a finite number from `low` to `high`."""
    if isinstance(value, Real) and math.isfinite(value) and low <= float(value) <= high:
        return
    if high == math.inf:
        raise SettingError(_("{name} must be a number of {low} or more, not {value}.", name=name, low=low, value=value))
    raise SettingError(
        _("{name} must be a number from {low} to {high}, not {value}.", name=name, low=low, high=high, value=value)
    )


def check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    """Raises SettingError unless `value` is one of `choices`."""
    if value not in choices:
        raise SettingError(_("{name} is one of: {choices}; not {value}.", name=name, choices=", ".join(choices), value=value))


def mean_over(per_pixel: Tensor, counted: Tensor) -> Tensor:
    """Mean of (N, H, W) over the counted pixels (N, H, W) bool; a differentiable 0 where there are none."""
    return (per_pixel * counted).sum() / counted.sum().clamp(min=1)


def probs_and_truth(logits: Tensor, target: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
    """p and g, both (N, C, H, W), of C = 1 the foreground's alone; 0 at ignored pixels, so that sums pass over them."""
    if logits.shape[1] == 1:
        probs, truth = logits.sigmoid(), target[:, None] == 1
    else:
        probs, truth = logits.softmax(dim=1), F.one_hot(target, logits.shape[1]).movedim(-1, 1).bool()
    known = valid[:, None]
    return probs * known, (truth & known).to(probs.dtype)


def log_prob(logits: Tensor) -> Tensor:
    """log p of every class (N, max(2, C), H, W). One logit z speaks for two classes whose logits are 0 and z."""
    if logits.shape[1] == 1:
        return torch.cat([F.logsigmoid(-logits), F.logsigmoid(logits)], dim=1)
    return logits.log_softmax(dim=1)

"""How a network may be run on a picture: in which precision, and on how large a copy of it."""

import torch

from segdemo.devices import PRECISIONS, PrecisionChoice, cpu_has_bf16
from segdemo.errors import SettingError
from segdemo.text import _

__all__ = ["MAX_SCALE", "MIN_SCALE", "check_precision", "check_scale", "half_is_fast"]

MIN_SCALE, MAX_SCALE = 0.25, 4.0


def check_scale(scale: float) -> float:
    """The scale. Raises SettingError outside 0.25–4."""
    if not MIN_SCALE <= scale <= MAX_SCALE:  # also false for NaN
        raise SettingError(_("The scale lies between {low} and {high}, not {scale}.", low=MIN_SCALE, high=MAX_SCALE, scale=scale))
    return float(scale)


def check_precision(precision: PrecisionChoice, device: torch.device) -> PrecisionChoice:
    """The precision. Raises SettingError for one that does not exist, or that the device does not compute in."""
    if precision not in PRECISIONS:
        raise SettingError(
            _('There is no precision "{name}". These exist: {names}.', name=precision, names=", ".join(PRECISIONS))
        )
    if precision == "bfloat16" and not half_is_fast(device):
        raise SettingError(_("This machine's processor does not compute in bfloat16. Choose float32, or leave it automatic."))
    return precision


def half_is_fast(device: torch.device) -> bool:
    """Whether the device multiplies bfloat16 in hardware."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device.type == "cpu" and cpu_has_bf16()

"""Which processor does the arithmetic, and in which precision. Ground floor: training and inference both ask."""

import platform
from functools import lru_cache
from pathlib import Path
from typing import Literal, get_args

import torch

from segdemo.errors import SettingError
from segdemo.text import _

__all__ = ["PRECISIONS", "Precision", "PrecisionChoice", "cpu_has_bf16", "device_label", "pick_device"]

Precision = Literal["float32", "bfloat16"]
PrecisionChoice = Literal["auto", "float32", "bfloat16"]  # "auto": the fastest that agrees
PRECISIONS: tuple[PrecisionChoice, ...] = get_args(PrecisionChoice)
DEVICES = ("auto", "cuda", "mps", "cpu")


def pick_device(name: str = "auto") -> torch.device:
    """The named device, or the best there is: CUDA, then MPS, then CPU. Raises SettingError for one that is not there."""
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name not in DEVICES:
        raise SettingError(_('There is no device "{name}". These exist: {names}.', name=name, names=", ".join(DEVICES)))
    if name != "auto" and not available[name]:
        raise SettingError(_('This machine has no "{name}" device that torch can use.', name=name))
    return torch.device(next(d for d in available if available[d]) if name == "auto" else name)


@lru_cache(maxsize=1)
def cpu_has_bf16() -> bool:
    """Whether this CPU multiplies bfloat16 in hardware; elsewhere bfloat16 is emulated and slower than float32."""
    cpuinfo = Path("/proc/cpuinfo")
    if not cpuinfo.is_file():
        return False
    flags = cpuinfo.read_text(encoding="ascii", errors="replace")
    return "avx512_bf16" in flags or "amx_bf16" in flags


def device_label(device: torch.device) -> str:
    """The device's name as a visitor reads it."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    if device.type == "mps":
        return "Apple GPU"
    threads = torch.get_num_threads()
    return f"CPU, {threads} {'thread' if threads == 1 else 'threads'} ({platform.machine()})"

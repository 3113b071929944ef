"""What takes a map's place when its stage is switched: nothing, its mean, noise, or what another picture gave there."""

import zlib
from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from segdemo.errors import SettingError
from segdemo.text import _

__all__ = ["Way", "substitute"]

Way = Literal["zero", "mean", "noise", "other"]


def substitute(name: str, recorded: Tensor, way: Way, others: Mapping[str, Tensor] | None, seed: int) -> Tensor:
    """A map (1, C, h, w), or a vector (1, C), in the place of the recorded one of the stage `name`.

    "zero"; "mean": each channel its own over all positions; "noise": Gaussian with each channel's mean and standard
    deviation, the same for the same seed and stage; "other": the stage's map of another picture, enlarged or reduced
    bilinearly where sizes differ. Raises SettingError where there is no such map.
    """
    if way == "zero":
        return torch.zeros_like(recorded)
    if way == "other":
        return _of_another(name, recorded, others)
    positions = tuple(range(2, recorded.ndim))
    mean = recorded.mean(positions, keepdim=True) if positions else recorded
    if way == "mean":
        return mean.expand_as(recorded).clone(memory_format=torch.preserve_format)
    spread = recorded.std(positions, correction=0, keepdim=True) if positions else torch.zeros_like(recorded)
    generator = torch.Generator().manual_seed(zlib.crc32(f"{seed}/{name}".encode()))
    return mean + spread * torch.randn(recorded.shape, generator=generator)


def _of_another(name: str, recorded: Tensor, others: Mapping[str, Tensor] | None) -> Tensor:
    other = (others or {}).get(name)
    if other is None:
        raise SettingError(_("To put another picture's activation here, a second picture is needed."))
    if other.shape == recorded.shape:
        return other
    if other.ndim != recorded.ndim or other.shape[1] != recorded.shape[1] or other.ndim != 4:
        raise SettingError(_('What the other picture has at "{stage}" does not fit there.', stage=name))
    return F.interpolate(other, size=recorded.shape[2:], mode="bilinear", align_corners=False)

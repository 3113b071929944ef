"""A stage's activation as everything here reads it, (C, h, w), what it takes, and its extremes. Only finite numbers count."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from segdemo.errors import SettingError
from segdemo.text import _

__all__ = ["all_finite", "as_map", "as_maps", "bytes_of", "extremes", "inner_extremes"]

SAMPLED = 250_000  # values, evenly chosen, that quantiles are taken of


def as_map(output: Tensor) -> Tensor:
    """(C, h, w) of what a module gives out: (1, C, h, w); a vector (1, C) → (C, 1, 1); tokens (1, L, C) → (C, L, 1)."""
    inner = output[0]
    if inner.ndim == 2:
        inner = inner.T
    return inner[(...,) + (None,) * (3 - inner.ndim)]


def bytes_of(*tensors: Tensor) -> int:
    """What tensors hold in memory; what several share counts once, and a view holds the whole of what it is a view of."""
    storages = [tensor.untyped_storage() for tensor in tensors]
    return sum({storage.data_ptr(): storage.nbytes() for storage in storages}.values())


def as_maps(activation: Tensor) -> Tensor:
    """(C, h, w) float32 of an activation (C, h, w) or (1, C, h, w) of real numbers.

    Raises SettingError for anything else, and for one without a single value.
    """
    shape = tuple(activation.shape)
    maps = activation.detach()
    if maps.ndim == 4 and shape[0] == 1:
        maps = maps[0]
    if maps.ndim != 3 or maps.numel() == 0 or maps.is_complex():
        raise SettingError(
            _("What a stage puts out has channels, rows and columns, all at least one; this has the shape {shape}.", shape=shape)
        )
    return maps.to(torch.float32)


def all_finite(values: Tensor) -> bool:
    """Whether no value is infinite or not a number. One sum decides nearly always: a bad value would spoil it."""
    return bool(torch.isfinite(values.sum())) or bool(torch.isfinite(values).all())


def extremes(maps: Tensor) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The smallest and the largest finite value (C,) of each channel of maps (C, h, w); 0 and 0 where there is none."""
    flat = maps.flatten(1)
    low, high = flat.amin(1), flat.amax(1)  # a bad value in the channel shows in at least one of the two
    if not bool(torch.isfinite(low).all() & torch.isfinite(high).all()):
        finite = torch.isfinite(flat)
        low = torch.where(finite, flat, torch.inf).amin(1)
        high = torch.where(finite, flat, -torch.inf).amax(1)
        empty = ~finite.any(1)
        low, high = low.masked_fill(empty, 0), high.masked_fill(empty, 0)
    return low.numpy(), high.numpy()


def inner_extremes(maps: Tensor, clip: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """As `extremes`, without the share `clip` (0 to less than 0.5) of a channel's values at each end, if others remain.

    Of more than SAMPLED values, every so many-th is looked at. Raises SettingError for another share.
    """
    if not 0 <= clip < 0.5:
        raise SettingError(
            _("The share of values beyond the ends of the scale lies from 0 to below 0.5; it is {clip}.", clip=clip)
        )
    if clip == 0:
        return extremes(maps)
    step = maps.numel() // SAMPLED | 1  # odd: it does not fall into step with rows, which are mostly of even length
    some = maps.flatten(1)[:, ::step]
    some = some.where(torch.isfinite(some), torch.nan).double()
    ends = torch.nanquantile(some, torch.tensor([clip, 1 - clip], dtype=torch.float64), dim=1).nan_to_num(0).float()
    low, high = extremes(maps)
    wide = (ends[1] > ends[0]).numpy()  # of a map that is zero nearly everywhere, nothing else would be left
    return np.where(wide, ends[0].numpy(), low), np.where(wide, ends[1].numpy(), high)

"""What can be said of a stage's channels in numbers: statistics, an order, a histogram, and maps over all channels."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from segdemo.errors import SettingError
from segdemo.features.maps import all_finite, as_maps, extremes
from segdemo.text import _

__all__ = [
    "SATURATED_SHARE", "TOLERANCE",
    "ChannelStatistics", "Order", "Summary", "histogram", "ordered", "statistics_of", "summary",
]  # fmt: skip

Order = Literal["index", "mean", "variance", "contribution"]
Summary = Literal["mean", "max", "std"]

TOLERANCE = 1e-6  # of the stage's largest magnitude: values closer than this count as the same
SATURATED_SHARE = 0.95  # of a channel's positions
CACHED = 250_000  # values worked on at a time


@dataclass(frozen=True)
class ChannelStatistics:
    """Of each channel of a stage, (C,) each, over its finite values; 0 where there is none.

    variance: the population's. dead: nowhere different from zero. saturated: the same other value at SATURATED_SHARE of
    the positions or more; a map of a single position never is. Both up to TOLERANCE. not_finite: how many values are
    infinite or not a number; such a channel is neither dead nor saturated.
    """

    mean: NDArray[np.float64]
    variance: NDArray[np.float64]
    minimum: NDArray[np.float64]
    maximum: NDArray[np.float64]
    dead: NDArray[np.bool_]
    saturated: NDArray[np.bool_]
    not_finite: NDArray[np.int64]


def statistics_of(activation: Tensor) -> ChannelStatistics:
    """Statistics of an activation (C, h, w) or (1, C, h, w). Raises SettingError for another shape."""
    maps = as_maps(activation)
    flat = maps.flatten(1)
    low, high = (torch.from_numpy(ends) for ends in extremes(maps))
    finite = None if all_finite(flat) else torch.isfinite(flat)
    bad = torch.zeros(len(flat), dtype=torch.int64) if finite is None else (~finite).sum(1)
    mean, variance = _moments(flat, low, high, finite)
    magnitude = torch.maximum(low.abs(), high.abs())
    same = TOLERANCE * float(magnitude.max())
    dead = (magnitude <= same) & (bad == 0)
    saturated = _saturated(flat, same) & ~dead & (bad == 0)
    return ChannelStatistics(
        mean.numpy(), variance.numpy(), low.double().numpy(), high.double().numpy(), dead.numpy(), saturated.numpy(), bad.numpy()
    )


def _moments(flat: Tensor, low: Tensor, high: Tensor, finite: Tensor | None) -> tuple[Tensor, Tensor]:
    """Mean and population variance (C,) float64. Sums are taken about a value in the channel's midst: squares of large
    numbers that differ little would cancel. A few channels at a time, so that they stay in the processor's cache."""
    midst = low / 2 + high / 2
    sums, squares = torch.empty(len(flat), dtype=torch.float64), torch.empty(len(flat), dtype=torch.float64)
    together = max(1, CACHED // flat.shape[1])
    for first in range(0, len(flat), together):
        span = slice(first, first + together)
        centred = flat[span] - midst[span, None]
        if finite is not None:
            centred.masked_fill_(~finite[span], 0)
        sums[span], squares[span] = centred.sum(1), torch.linalg.vecdot(centred, centred)
    count = torch.tensor(flat.shape[1]) if finite is None else finite.sum(1).clamp(min=1)
    return midst.double() + sums / count, (squares / count - (sums / count) ** 2).clamp(min=0)


def _saturated(flat: Tensor, same: float) -> Tensor:
    """Whether at least SATURATED_SHARE of a channel's values are the same and not zero.

    Of every ninth value more than half are then that one, so it is their median: few channels are read as a whole.
    """
    some = flat[:, ::9] if flat.shape[1] > 100 else flat
    value = some.median(1, keepdim=True).values
    usual = ((some - value).abs() <= 2 * same).float().mean(1) > 0.5
    result = usual & (value[:, 0].abs() > same) & (flat.shape[1] > 1)
    for channel in result.nonzero().flatten():
        result[channel] = ((flat[channel] - value[channel]).abs() <= same).double().mean() >= SATURATED_SHARE
    return result


def ordered(statistics: ChannelStatistics, by: Order, contribution: Sequence[float] | None = None) -> tuple[int, ...]:
    """All channels, the largest first, equal ones by index; those whose value is not a number come last.

    Raises SettingError without a contribution for each channel where that is asked for.
    """
    count = len(statistics.mean)
    if by == "index":
        return tuple(range(count))
    if by == "contribution":
        if contribution is None or len(contribution) != count:
            raise SettingError(_("Sorting by contribution needs one number for each of the {count} channels.", count=count))
        values = np.asarray(contribution, dtype=np.float64)
    else:
        values = statistics.mean if by == "mean" else statistics.variance
    return tuple(np.argsort(-values, kind="stable").tolist())


def histogram(feature_map: Tensor, bins: int = 40) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """(counts (bins,), edges (bins + 1,)) of the finite values of one map of any shape, from the lowest to the highest.

    A constant lies in the middle of bins that together span its magnitude, or 1. Raises SettingError without a bin.
    """
    if bins < 1:
        raise SettingError(_("A histogram has at least one bin."))
    values = feature_map.detach().double().flatten()
    values = values[torch.isfinite(values)]
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    if low == high:
        half = abs(low) / 2 or 0.5
        low, high = low - half, high + half
    edges = np.linspace(low, high, bins + 1)
    counts = torch.histc(values, bins, low, high).to(torch.int64).numpy()
    return counts, edges


def summary(activation: Tensor, how: Summary) -> Tensor:
    """(h, w) float32: mean, maximum or population standard deviation over the channels of (C, h, w) or (1, C, h, w).

    Finite values only; NaN where a position has none. Raises SettingError for another shape.
    """
    maps = as_maps(activation)
    if all_finite(maps):
        return maps.amax(0) if how == "max" else maps.mean(0) if how == "mean" else maps.std(0, correction=0)
    finite = torch.isfinite(maps)
    empty = ~finite.any(0)
    if how == "max":
        return torch.where(finite, maps, -torch.inf).amax(0).masked_fill(empty, torch.nan)
    count = finite.sum(0).clamp(min=1)
    mean = maps.where(finite, 0).sum(0) / count
    if how == "std":
        mean = ((maps - mean).where(finite, 0).square().sum(0) / count).sqrt()
    return mean.masked_fill(empty, torch.nan)

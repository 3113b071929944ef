"""Is one model better than another, or were the pictures lucky? A paired bootstrap over the pictures.

Efron, Tibshirani, "An Introduction to the Bootstrap", 1993, the percentile interval. Pictures are drawn with replacement,
the same ones for both models, since a picture that is hard is hard for both.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segdemo.errors import SettingError
from segdemo.metrics.counts import ratio
from segdemo.text import _

__all__ = ["RESAMPLES", "Difference", "Statistic", "mean_of_values", "paired_difference", "values_as_counts"]

Counts = NDArray[np.number]  # (I, …), of each picture
Statistic = Callable[[NDArray[np.float64]], NDArray[np.float64]]
RESAMPLES = 2000
WEIGHTS_AT_ONCE = 2_000_000  # pictures × resamples in a block; three arrays of 8 bytes each: 48 MB


@dataclass(frozen=True)
class Difference:
    """A's score less B's, in the score's own unit.

    mean: of all pictures as they are. low, high: the confidence interval's ends; NaN for fewer than two pictures, or for a
    score that is undefined. share_above: in which share of the resamples, 0–1, A scores above B. resamples: how many of them
    could be scored. pictures: how many there are.
    """

    mean: float
    low: float
    high: float
    share_above: float
    resamples: int
    pictures: int


def paired_difference(
    counts_a: Counts, counts_b: Counts, statistic: Statistic, *, resamples: int = RESAMPLES, confidence: float = 0.95,
    seed: int = 0,
) -> Difference:  # fmt: skip
    """The difference of two models' data-set scores and its percentile bootstrap interval.

    counts_a, counts_b (I, …): what adds up over pictures, such as TP, FP, FN (I, C, 3), of the same pictures in the same
    order. statistic: a score of sums (R, …) → (R,), such as `foreground_score`; for a mean of per-picture values see
    `values_as_counts`. Resamples in which either score is undefined are left out. The same seed gives the same interval.
    Raises SettingError for counts of different shapes, no resample, or a confidence beyond 0–1.
    """
    a, b = np.asarray(counts_a, np.float64), np.asarray(counts_b, np.float64)
    if a.shape != b.shape:
        raise SettingError(f"Paired counts have one shape, not {a.shape} and {b.shape}.")
    if resamples < 1 or not 0 < confidence < 1:
        raise SettingError(_("A bootstrap has at least one resample and a confidence between 0 and 1."))
    observed = float((statistic(a.sum(axis=0)[None]) - statistic(b.sum(axis=0)[None]))[0])
    if len(a) < 2:
        return Difference(observed, np.nan, np.nan, np.nan, 0, len(a))
    drawn = _resampled(a, b, statistic, resamples, np.random.default_rng(seed))
    known = drawn[~np.isnan(drawn)]
    if not known.size or np.isnan(observed):
        return Difference(observed, np.nan, np.nan, np.nan, 0, len(a))
    low, high = np.quantile(known, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Difference(observed, float(low), float(high), float((known > 0).mean()), known.size, len(a))


def values_as_counts(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Per-picture values (I,), NaN if undefined, as what adds up (I, 2): the value, and 1 if there is one."""
    values = np.asarray(values, np.float64)
    return np.stack([np.nan_to_num(values), ~np.isnan(values)], axis=-1)


def mean_of_values(sums: NDArray[np.number]) -> NDArray[np.float64]:
    """The mean (…) of the values whose `values_as_counts` add up to `sums` (…, 2)."""
    sums = np.asarray(sums)
    return ratio(sums[..., 0], sums[..., 1])


def _resampled(
    a: NDArray[np.float64], b: NDArray[np.float64], statistic: Statistic, resamples: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Differences (R,): how often each picture is drawn, times its counts. Sums of counts below 2**53 are exact."""
    pictures, both = len(a), np.concatenate([a.reshape(len(a), -1), b.reshape(len(b), -1)], axis=1)
    parts = []
    for start in range(0, resamples, step := max(1, WEIGHTS_AT_ONCE // pictures)):
        count = min(step, resamples - start)
        drawn = rng.integers(pictures, size=(count, pictures)) + pictures * np.arange(count)[:, None]
        weights = np.bincount(drawn.ravel(), minlength=count * pictures).reshape(count, pictures)
        sums_a, sums_b = np.split(weights.astype(np.float64) @ both, 2, axis=1)
        parts.append(statistic(sums_a.reshape(count, *a.shape[1:])) - statistic(sums_b.reshape(count, *b.shape[1:])))
    return np.concatenate(parts)

"""Calibration: of the pixels given a probability of 70 %, are 70 % right? The reliability diagram and the ECE.

Guo et al., "On calibration of modern neural networks", arXiv:1706.04599.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segdemo.errors import SettingError
from segdemo.text import _

__all__ = ["Reliability", "expected_calibration_error", "reliability", "top_label"]


@dataclass(frozen=True)
class Reliability:
    """Pixels by their probability, B bins of one width; bins add up over pictures.

    count (B,): pixels of the bin; prob_sum (B,): the sum of their probabilities; hits (B,): how many were so indeed.
    """

    count: NDArray[np.int64]
    prob_sum: NDArray[np.float64]
    hits: NDArray[np.int64]

    def __add__(self, other: "Reliability") -> "Reliability":
        return Reliability(self.count + other.count, self.prob_sum + other.prob_sum, self.hits + other.hits)

    @property
    def mean_prob(self) -> NDArray[np.float64]:
        """Mean probability of each bin (B,), 0–1; NaN for an empty one."""
        return _ratio(self.prob_sum, self.count)

    @property
    def frequency(self) -> NDArray[np.float64]:
        """Share of each bin's pixels that were so indeed (B,), 0–1; NaN for an empty one."""
        return _ratio(self.hits, self.count)


def reliability(probs: NDArray[np.floating], hits: NDArray[np.bool_], bins: int = 15) -> Reliability:
    """Pixels of one shape by their probability 0–1, [k/B, (k+1)/B) a bin and 1 in the last. Raises SettingError, bins < 1."""
    if bins < 1:
        raise SettingError(_("A reliability diagram has at least one bin, not {bins}.", bins=bins))
    flat, positive = np.asarray(probs, np.float64).ravel(), np.asarray(hits).ravel()
    edges = np.linspace(0, 1, bins + 1)[1:-1]
    place = np.searchsorted(edges, flat, side="right")
    count = np.bincount(place, minlength=bins)
    prob_sum = np.bincount(place, weights=flat, minlength=bins)
    found = np.bincount(place[positive], minlength=bins)
    return Reliability(count.astype(np.int64), np.asarray(prob_sum, np.float64), found.astype(np.int64))


def expected_calibration_error(bins: Reliability) -> float:
    """ECE, 0–1: the mean distance of frequency and probability, each bin as often as it has pixels; NaN without any."""
    total = bins.count.sum()
    return float(np.abs(bins.hits - bins.prob_sum).sum() / total) if total else float("nan")


def top_label(scores: NDArray[np.floating], target: NDArray[np.integer]) -> tuple[NDArray[np.floating], NDArray[np.bool_]]:
    """The likeliest class's probability, and whether it is the true class. scores (C, …), target (…) of 0 … C − 1."""
    return scores.max(axis=0), scores.argmax(axis=0) == target


def _ratio(above: NDArray[np.number], below: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.asarray(np.divide(above, below, out=np.full(len(below), np.nan), where=below > 0))

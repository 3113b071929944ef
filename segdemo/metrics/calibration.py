"""Calibration: of the pixels given a probability of 70 %, are 70 % right? The reliability diagram and the ECE.

Guo et al., "On calibration of modern neural networks", arXiv:1706.04599.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segdemo.errors import SettingError
from segdemo.metrics.counts import ratio
from segdemo.metrics.histograms import count_places, exceeded
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
        return ratio(self.prob_sum, self.count)

    @property
    def frequency(self) -> NDArray[np.float64]:
        """Share of each bin's pixels that were so indeed (B,), 0–1; NaN for an empty one."""
        return ratio(self.hits, self.count)


def reliability(probs: NDArray[np.floating], hits: NDArray[np.bool_], bins: int = 15) -> Reliability:
    """Pixels of one shape by their probability 0–1, [k/B, (k+1)/B) a bin and 1 in the last. Raises SettingError, bins < 1."""
    if bins < 1:
        raise SettingError(_("A reliability diagram has at least one bin, not {bins}.", bins=bins))
    flat, positive = np.asarray(probs).ravel(), np.asarray(hits, bool).ravel()
    places = exceeded(flat, _just_below(np.linspace(0, 1, bins + 1)[1:-1], flat.dtype))
    missed, found = count_places(places, positive, bins)
    prob_sum = np.bincount(places, weights=flat, minlength=bins)
    return Reliability(missed + found, np.asarray(prob_sum, np.float64), found)


def expected_calibration_error(bins: Reliability) -> float:
    """ECE, 0–1: the mean distance of frequency and probability, each bin as often as it has pixels; NaN without any."""
    total = bins.count.sum()
    return float(np.abs(bins.hits - bins.prob_sum).sum() / total) if total else float("nan")


def top_label(scores: NDArray[np.floating], target: NDArray[np.integer]) -> tuple[NDArray[np.floating], NDArray[np.bool_]]:
    """The likeliest class's probability, and whether it is the true class. scores (C, …), target (…) of 0 … C − 1."""
    likeliest, label = scores[0].copy(), np.zeros(scores.shape[1:], np.uint8 if len(scores) <= 256 else np.intp)
    for index in range(1, len(scores)):  # of equal ones the first, as argmax, which takes three times as long
        np.copyto(label, index, where=scores[index] > likeliest)
        np.maximum(likeliest, scores[index], out=likeliest)
    return likeliest, label == target


def _just_below(edges: NDArray[np.float64], dtype: np.dtype[np.floating]) -> NDArray[np.floating]:
    """The largest numbers of a type below the edges: whatever of that type exceeds them reaches the edge itself."""
    near = edges.astype(dtype)
    return np.where(near < edges, near, np.nextafter(near, dtype.type(-1)))

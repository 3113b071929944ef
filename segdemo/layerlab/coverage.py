"""Who is seen how often: output cells under a transposed convolution's kernels, input cells under stacked dilated ones.

Counts, along one axis; those of a picture are the products of both axes. Uneven counts draw a checkerboard, zeros a grid.

Odena, Dumoulin, Olah, Deconvolution and checkerboard artifacts, Distill 2016, doi 10.23915/distill.00003. Yu, Koltun, Funkhouser,
Dilated residual networks, 2017, arXiv:1705.09914 (gridding). Wang et al., Understanding convolution for semantic segmentation,
2018, arXiv:1702.08502 (rates without a common factor).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from segdemo.layerlab.sizes import transposed_size

__all__ = ["dilated_counts", "inner_counts", "is_even", "landings", "seen_from", "transposed_counts", "unseen_share"]

Count = NDArray[np.int64]


def landings(size: int, kernel: int, stride: int, padding: int = 0) -> Count:
    """(n, m): how often the kernel of each input cell lands on each output cell, along one axis. 0 or 1."""
    hits = np.zeros((size, transposed_size(size, kernel, stride, padding)), np.int64)
    for cell in range(size):
        for step in range(kernel):
            at = cell * stride - padding + step
            if 0 <= at < hits.shape[1]:
                hits[cell, at] += 1
    return hits


def transposed_counts(size: int, kernel: int, stride: int, padding: int = 0) -> Count:
    """(m,): how many kernels land on each output cell, along one axis."""
    return np.asarray(landings(size, kernel, stride, padding).sum(axis=0))


def inner_counts(kernel: int, stride: int) -> Count:
    """(s,): the pattern that repeats away from the border, a count for each of `stride` neighbouring output cells."""
    counts = np.zeros(stride, np.int64)
    for step in range(kernel):
        counts[step % stride] += 1
    return counts


def is_even(kernel: int, stride: int) -> bool:
    """Whether every inner cell is covered equally often: whether the stride divides the kernel."""
    return len(set(inner_counts(kernel, stride).tolist())) == 1


def dilated_counts(rates: Sequence[int], kernel: int = 3) -> Count:
    """(field,): over how many ways one output cell reaches each input cell through convolutions with these dilations.

    Along one axis; the middle is the output's own place. The order of the rates makes no difference.
    """
    counts = np.ones(1, np.int64)
    for rate in rates:
        counts = seen_from(counts, rate, kernel)
    return counts


def seen_from(counts: Count, rate: int, kernel: int = 3) -> Count:
    """One layer further down: every cell that is reached reaches `kernel` more, `rate` apart."""
    below = np.zeros(len(counts) + rate * (kernel - 1), np.int64)
    for step in range(kernel):
        below[step * rate : step * rate + len(counts)] += counts
    return below


def unseen_share(rates: Sequence[int], kernel: int = 3) -> float:
    """Share, 0 … 1, of the cells inside the square receptive field that the output never sees."""
    counts = dilated_counts(rates, kernel)
    return 1 - (np.count_nonzero(counts) / len(counts)) ** 2

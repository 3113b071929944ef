"""Counts of the Honest metrics view, remembered by picture, mask and network: a slider counts only what it changes."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from segdemo.inference.cache import BoundedCache
from segdemo.losslab.honesty import Case, Tally, matrix_of, tally
from segdemo.metrics import Reliability

__all__ = ["matrices", "tallies"]

MEMORY_BYTES = 8_000_000

_tallies: BoundedCache[tuple[str, int], Tally] = BoundedCache(MEMORY_BYTES, lambda t: t.sweep.nbytes + 1000)
_matrices: BoundedCache[tuple[str, float, int], NDArray[np.int64]] = BoundedCache(MEMORY_BYTES, lambda m: m.nbytes + 200)


def tallies(cases: Sequence[Case], class_index: int) -> tuple[NDArray[np.int64], Reliability, Reliability]:
    """The sweep's TP, FP, FN (I, T, 3) of each picture, and the reliability of the class and of the label over all."""
    found = [_tallies.get_or_make((case.key, class_index), lambda case=case: tally(case, class_index)) for case in cases]  # type: ignore[misc]
    of_class, of_label = found[0].of_class, found[0].of_label
    for other in found[1:]:
        of_class, of_label = of_class + other.of_class, of_label + other.of_label
    return np.stack([one.sweep for one in found]), of_class, of_label


def matrices(cases: Sequence[Case], width: int = 0) -> NDArray[np.int64]:
    """Confusion matrices (I, C, C), with a band of `width` pixels along the true outlines ignored."""
    return np.stack([
        _matrices.get_or_make((case.key, case.prediction.threshold, width), lambda case=case: matrix_of(case, width))  # type: ignore[misc]
        for case in cases
    ])  # fmt: skip

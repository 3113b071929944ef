"""What an evaluation has found: counts that add up over pictures, of each candidate, and what was left out and why.

Nothing here has the size of a picture, so that a data set of any length fits into memory.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import inf

import numpy as np
from numpy.typing import NDArray

from segdemo.errors import SettingError
from segdemo.evaluation.candidate import Candidate
from segdemo.metrics import CHALLENGE_THRESHOLDS, ObjectCounts, Reliability
from segdemo.text import _
from segdemo.types import ClassInfo, Latency, Notice, Size, WeightsEntry

__all__ = ["CandidateResult", "Evaluation", "EvaluationSettings", "PictureScores"]

ARRAY_BYTES, PICTURE_BYTES = 130, 900  # of an empty array; of the objects around the arrays of a picture


@dataclass(frozen=True)
class EvaluationSettings:
    """boundary_tolerance: pixels, of the boundary F1. bins: of the reliability diagram. thresholds: of the precision–recall
    curve, rising, 0–1; without any there is no curve. Raises SettingError for others."""

    boundary_tolerance: float = 2.0
    bins: int = 15
    thresholds: tuple[float, ...] = tuple(i / 100 for i in range(1, 100))

    def __post_init__(self) -> None:
        if not 0 <= self.boundary_tolerance < inf:  # also false for NaN
            raise SettingError(_("The tolerance of the outline is a distance in pixels, not {n}.", n=self.boundary_tolerance))
        if self.bins < 1:
            raise SettingError(_("A reliability diagram has at least one bin, not {bins}.", bins=self.bins))
        within = all(0 <= threshold <= 1 for threshold in self.thresholds)
        if not within or list(self.thresholds) != sorted(set(self.thresholds)):
            raise SettingError(_("Thresholds rise, and lie between 0 and 1."))


@dataclass(frozen=True)
class PictureScores:
    """One candidate on one picture, over the C classes of the common label space, class 0 the background.

    cells (K, 3) int64: rows target class, predicted class, pixels, of the confusion matrix's cells that are not empty.
    counts (C, 3) int64: TP, FP, FN. boundary (C, 4) int64, see `boundary_counts`. hausdorff95 (C,): pixels, NaN where
    undefined. objects: of all foreground classes together.
    """

    picture: str  # its name in the data set
    size: Size
    cells: NDArray[np.int64]
    counts: NDArray[np.int64]
    boundary: NDArray[np.int64]
    hausdorff95: NDArray[np.float64]
    objects: ObjectCounts
    latency: Latency


@dataclass(frozen=True)
class CandidateResult:
    """One candidate on the whole data set, or on what has been done of it.

    pictures: in the data set's order. matrix (C, C) int64: rows target, columns preds. threshold_counts (T, 3): of the
    foreground of a binary candidate in a two-class space, else None. reliability: of the foreground's probability where
    binary, else of the likeliest class's. failed: pictures that this candidate could not segment, with the reason.
    unknown: names of the data's classes that it does not know; extra: of its classes that the data does not know. Both
    count as background. shrunk: pictures of which it saw less than it should, because memory was short.
    """

    candidate: Candidate
    entry: WeightsEntry
    pictures: tuple[PictureScores, ...]
    matrix: NDArray[np.int64]
    threshold_counts: NDArray[np.int64] | None
    reliability: Reliability
    failed: Mapping[str, Notice] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    shrunk: tuple[str, ...] = ()

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """(I, C, 3): TP, FP, FN of every picture."""
        return self._stacked([scores.counts for scores in self.pictures], len(self.matrix), 3)

    @cached_property
    def boundary(self) -> NDArray[np.int64]:
        """(I, C, 4): `boundary_counts` of every picture."""
        return self._stacked([scores.boundary for scores in self.pictures], len(self.matrix), 4)

    @cached_property
    def objects_at_thresholds(self) -> NDArray[np.int64]:
        """(I, T, 3): TP, FP, FN objects of every picture at each of the challenge's IoU thresholds."""
        return self._stacked([scores.objects.at_thresholds for scores in self.pictures], len(CHALLENGE_THRESHOLDS), 3)

    @cached_property
    def distances(self) -> NDArray[np.float64]:
        """(I, C): Hausdorff 95 of every picture in pixels, NaN where undefined."""
        found = [scores.hausdorff95 for scores in self.pictures]
        return np.stack(found) if found else np.zeros((0, len(self.matrix)))

    @staticmethod
    def _stacked(counts: list[NDArray[np.int64]], *shape: int) -> NDArray[np.int64]:
        return np.stack(counts) if counts else np.zeros((0, *shape), np.int64)

    @property
    def size_bytes(self) -> int:
        """About the memory that it takes: the arrays, those that are stacked as well, and what Python keeps beside them."""
        arrays = [self.matrix, self.reliability.count, self.reliability.prob_sum, self.reliability.hits]
        for scores in self.pictures:
            arrays += [scores.cells, scores.counts, scores.boundary, scores.hausdorff95, scores.objects.at_thresholds]
        return sum(2 * array.nbytes + ARRAY_BYTES for array in arrays) + PICTURE_BYTES * len(self.pictures)


@dataclass(frozen=True)
class Evaluation:
    """The candidates on one data set. done, total: pictures; left_out: file → why it could not be used.

    refused: candidates that share no class with the data, or cannot be loaded, by key, and why. notices: what else is to be
    known about the data. machine: the processor that the networks ran on.
    """

    data_name: str
    classes: tuple[ClassInfo, ...]
    results: tuple[CandidateResult, ...]
    done: int
    total: int
    settings: EvaluationSettings = EvaluationSettings()
    left_out: Mapping[str, Notice] = field(default_factory=dict)
    refused: Mapping[str, Notice] = field(default_factory=dict)
    notices: tuple[Notice, ...] = ()
    machine: str = ""

"""What an evaluation has found: counts that add up over pictures, of each candidate, and what was left out and why.

Nothing here has the size of a picture, so that a data set of any length fits into memory.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from segdemo.evaluation.candidate import Candidate
from segdemo.metrics import ObjectCounts, Reliability
from segdemo.types import ClassInfo, Latency, Notice, Size, WeightsEntry

__all__ = ["CandidateResult", "Evaluation", "EvaluationSettings", "PictureScores"]


@dataclass(frozen=True)
class EvaluationSettings:
    """boundary_tolerance: pixels, of the boundary F1. bins: of the reliability diagram. thresholds: of the precision–recall
    curve, rising, 0–1."""

    boundary_tolerance: float = 2.0
    bins: int = 15
    thresholds: tuple[float, ...] = tuple(i / 100 for i in range(1, 100))


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
    failed: Mapping[str, str] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    shrunk: tuple[str, ...] = ()


@dataclass(frozen=True)
class Evaluation:
    """The candidates on one data set. done, total: pictures; left_out: file → why it could not be used.

    refused: candidates that share no class with the data, or cannot be loaded, by key, with the sentence that says so.
    notices: what else is to be known about the data.
    """

    data_name: str
    classes: tuple[ClassInfo, ...]
    results: tuple[CandidateResult, ...]
    done: int
    total: int
    settings: EvaluationSettings = EvaluationSettings()
    left_out: Mapping[str, Notice] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    notices: tuple[Notice, ...] = ()

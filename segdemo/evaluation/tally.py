"""What adds up of one candidate while a data set is gone through."""

import numpy as np
from numpy.typing import NDArray

from segdemo.evaluation.candidate import Candidate
from segdemo.evaluation.label_space import LabelSpace
from segdemo.evaluation.scores.results import CandidateResult, EvaluationSettings, PictureScores
from segdemo.evaluation.scoring import Scored
from segdemo.metrics import Reliability
from segdemo.types import Notice, WeightsEntry

__all__ = ["Tally"]


class Tally:
    """Sums of one candidate's counts, and its scores by picture. `failed`: pictures that it could not segment, and why."""

    def __init__(self, candidate: Candidate, entry: WeightsEntry, space: LabelSpace, settings: EvaluationSettings) -> None:
        count = len(space.classes)
        self.candidate, self.entry, self.space = candidate, entry, space
        self.failed: dict[str, Notice] = {}
        self._pictures: list[PictureScores] = []
        self._shrunk: list[str] = []
        self._matrix = np.zeros((count, count), np.int64)
        self._thresholds: NDArray[np.int64] | None = None
        if entry.binary and count == 2:
            self._thresholds = np.zeros((len(settings.thresholds), 3), np.int64)
        zeros = np.zeros(settings.bins, np.int64)
        self._reliability = Reliability(zeros, zeros.astype(np.float64), zeros)

    def add(self, scored: Scored, shrunk: bool) -> None:
        """One more picture. shrunk: memory was short, so that the network saw less of it than it should."""
        self._pictures.append(scored.scores)
        self._matrix = self._matrix + scored.matrix  # new arrays: those given away stay as they were
        if self._thresholds is not None and scored.threshold_counts is not None:
            self._thresholds = self._thresholds + scored.threshold_counts
        self._reliability = self._reliability + scored.reliability
        if shrunk:
            self._shrunk.append(scored.scores.picture)

    def result(self) -> CandidateResult:
        """The sums so far."""
        weights_id = self.candidate.weights_id
        return CandidateResult(
            self.candidate, self.entry, tuple(self._pictures), self._matrix, self._thresholds, self._reliability,
            dict(self.failed), self.space.unknown[weights_id], self.space.extra[weights_id], tuple(self._shrunk),
        )  # fmt: skip

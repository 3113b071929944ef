"""The candidates on the picture on screen: their predictions, the classes they share, and the truth where it is known.

The engine remembers what it has segmented: another threshold, view or mode runs no network.
"""

from dataclasses import dataclass

import streamlit as st

from segdemo.data import Picture
from segdemo.errors import SegdemoError
from segdemo.evaluation.candidate import Candidate, entry_of
from segdemo.evaluation.label_space import LabelSpace, common_space, space_of_data
from segdemo.evaluation.titles import short_titles
from segdemo.inference import shared_engine
from segdemo.inference.agreement import overlap
from segdemo.text import _
from segdemo.types import ClassInfo, LabelMap, Prediction, WeightsEntry
from segdemo.ui.state import Choice, truth_for
from segdemo.ui.words import plain
from segdemo.weights import get_weights, is_present

__all__ = ["Outcome", "PictureComparison", "compare_on", "outcome_of"]


@dataclass(frozen=True)
class Outcome:
    """One candidate on the picture: its prediction, or the sentence why there is none."""

    candidate: Candidate
    entry: WeightsEntry
    title: str  # short, among the others
    prediction: Prediction | None
    problem: str = ""


@dataclass(frozen=True)
class PictureComparison:
    """Everything that is shown of one picture. `truth` (H, W) has the labels of `truth_classes`; space: the shared classes."""

    picture: Picture
    outcomes: tuple[Outcome, ...]
    space: LabelSpace
    truth: LabelMap | None = None
    truth_classes: tuple[ClassInfo, ...] = ()

    @property
    def comparable(self) -> list[Outcome]:
        """Those with a prediction whose classes are shared."""
        return [o for o in self.outcomes if o.prediction is not None and o.entry.weights_id in self.space.tables]

    def labels(self, outcome: Outcome) -> LabelMap:
        """The label map (H, W) of a comparable outcome in the shared classes."""
        assert outcome.prediction is not None
        return self.space.labels(outcome.entry.weights_id, outcome.prediction.preds)

    def iou(self, outcome: Outcome) -> float | None:
        """Against the truth: of the foreground, or the mean over its classes; NaN undefined, None where nothing is known."""
        if self.truth is None or outcome not in self.comparable:
            return None
        return overlap(self.labels(outcome), self.space.target(self.truth), len(self.space.classes))[1]


def compare_on(choice: Choice, picture: Picture, candidates: tuple[Candidate, ...]) -> PictureComparison:
    """Run what has not run yet, one after the other; one candidate's failure is its own."""
    titles = short_titles(candidates)
    outcomes = tuple(
        _outcome(candidate, title, picture, _("{title}, {i} of {n} …", title=plain(title), i=i + 1, n=len(candidates)))
        for i, (candidate, title) in enumerate(zip(candidates, titles, strict=True))
    )
    entries = [outcome.entry for outcome in outcomes if outcome.prediction is not None]
    truth, classes = _truth(choice, outcomes)
    if truth is not None:
        space = space_of_data(entries, [info.name for info in classes])
        if space.tables:
            return PictureComparison(picture, outcomes, space, truth, classes)
    return PictureComparison(picture, outcomes, common_space(entries))


def _outcome(candidate: Candidate, title: str, picture: Picture, progress: str) -> Outcome:
    if not is_present(entry_of(candidate)):
        problem = _("These weights are not on this machine yet. Fetch them below.")
        return Outcome(candidate, entry_of(candidate), title, None, problem)
    with st.spinner(progress, show_time=True):
        return outcome_of(candidate, title, picture)


def outcome_of(candidate: Candidate, title: str, picture: Picture) -> Outcome:
    """The candidate on the picture, or why that did not work."""
    entry = entry_of(candidate)
    try:
        prediction = shared_engine().segment(
            picture, entry.weights_id, threshold=candidate.threshold, precision=candidate.precision, scale=candidate.scale
        )
    except SegdemoError as error:
        return Outcome(candidate, entry, title, None, str(error))
    return Outcome(candidate, entry, title, prediction)


def _truth(choice: Choice, outcomes: tuple[Outcome, ...]) -> tuple[LabelMap | None, tuple[ClassInfo, ...]]:
    """The exact mask, with the classes it was drawn with; a visitor's own mask is read with the first candidate's classes."""
    predictions = [outcome.prediction for outcome in outcomes if outcome.prediction is not None]
    if not predictions:
        return None, ()
    classes = get_weights(choice.sample.suggested).classes if choice.sample is not None else predictions[0].classes
    return truth_for(choice, predictions[0].size, classes, st.container()), classes

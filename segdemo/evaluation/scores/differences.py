"""Is one candidate better than another, on the pictures that both have scored? In numbers and in one sentence."""

from collections.abc import Callable
from dataclasses import dataclass
from math import isnan
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from segdemo.errors import SettingError
from segdemo.evaluation.results import CandidateResult, Evaluation
from segdemo.evaluation.rows import PictureRow, picture_row
from segdemo.metrics import (
    Difference,
    dice_of_counts,
    iou_of_counts,
    mean_of_known,
    mean_of_values,
    paired_difference,
    scores_of_counts,
    values_as_counts,
)
from segdemo.text import _

__all__ = ["Comparison", "Verdict", "counted_pictures", "differences", "sentence", "verdict"]

Verdict = Literal["better", "worse", "unclear", "undefined"]
Counts = NDArray[np.float64]
POINTS = 100  # a score of 0–1 in points
TITLES = {"iou": "IoU", "dice": "Dice", "precision": "precision", "recall": "recall"}


@dataclass(frozen=True)
class Comparison:
    """Candidate a against b, both places in `Evaluation.results`, by one score; see `segdemo.metrics.Difference`.

    mean: over pictures one by one instead of the counts of all. Points are hundredths of the score; low and high are the
    95 % interval's ends, NaN with fewer than two pictures.
    """

    a: int
    b: int
    a_key: str
    b_key: str
    score: str
    per_image: bool
    difference: Difference

    @property
    def points(self) -> float:
        return POINTS * self.difference.mean

    @property
    def low(self) -> float:
        return POINTS * self.difference.low

    @property
    def high(self) -> float:
        return POINTS * self.difference.high

    @property
    def margin(self) -> float:
        """Half the interval's width, in points."""
        return (self.high - self.low) / 2


def differences(
    evaluation: Evaluation, a: int, b: int, score: str = "iou", *, per_image: bool = False, resamples: int = 2000, seed: int = 0
) -> Comparison:
    """Compare two candidates by "iou", "dice", "precision" or "recall", a mean over the foreground classes, with a paired
    bootstrap over the pictures that both have scored. Raises SettingError for another score."""
    if score not in TITLES:
        raise SettingError(_('There is no score "{score}". These exist: {names}.', score=score, names=", ".join(TITLES)))
    first, second = evaluation.results[a], evaluation.results[b]
    names = [p.picture for p in first.pictures]
    own, other = ({p.picture: p for p in result.pictures} for result in (first, second))
    both = [name for name in names if name in other]
    if per_image:
        statistic: Callable[[Counts], Counts] = mean_of_values
        rows = [[_value(picture_row("", side[name]), score) for name in both] for side in (own, other)]
        counts = [values_as_counts(np.array(values, np.float64)) for values in rows]
    else:
        statistic = _statistic(score)
        empty = np.zeros((0, len(evaluation.classes), 3))
        counts = [np.array([side[name].counts for name in both], np.float64) if both else empty for side in (own, other)]
    found = paired_difference(counts[0], counts[1], statistic, resamples=resamples, seed=seed)
    return Comparison(a, b, _key(first), _key(second), score, per_image, found)


def _key(result: CandidateResult) -> str:
    return result.candidate.key


def _value(row: PictureRow, score: str) -> float:
    return float(getattr(row, score))


def _statistic(score: str) -> Callable[[Counts], Counts]:
    if score == "iou":
        return iou_of_counts
    if score == "dice":
        return dice_of_counts
    return lambda counts: mean_of_known(scores_of_counts(counts[..., 1:, :])[score])


def verdict(comparison: Comparison) -> Verdict:
    """ "better" or "worse" where the interval lies on one side of zero, "unclear" where it does not."""
    if isnan(comparison.points) or isnan(comparison.low):
        return "undefined"
    if comparison.low > 0:
        return "better"
    return "worse" if comparison.high < 0 else "unclear"


def sentence(comparison: Comparison) -> str:
    """What was found, in words: better, worse, cannot be told apart, or no interval."""
    values = {"a": comparison.a_key, "b": comparison.b_key, "pictures": counted_pictures(comparison.difference.pictures),
              "score": _(TITLES[comparison.score])}  # fmt: skip
    found = verdict(comparison)
    if found == "undefined":
        return _("{a} and {b} cannot be compared: too few pictures have a score of both ({pictures}).", **values)
    values |= {"points": f"{abs(comparison.points):.1f}", "margin": f"{comparison.margin:.1f}", "low": _signed(comparison.low),
               "high": _signed(comparison.high)}  # fmt: skip
    if found == "better":
        return _("{a} is better than {b} by {points} ± {margin} {score} points on these {pictures}.", **values)
    if found == "worse":
        return _("{a} is worse than {b} by {points} ± {margin} {score} points on these {pictures}.", **values)
    return _("{a} and {b} cannot be told apart on these {pictures}: the difference lies between {low} and {high} {score} "
             "points.", **values)  # fmt: skip


def counted_pictures(count: int) -> str:
    """ "one picture", "12 pictures"."""
    return _("one picture") if count == 1 else _("{n} pictures", n=count)


def _signed(points: float) -> str:
    return f"{points:+.1f}".replace("-", "−")

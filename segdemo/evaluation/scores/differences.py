"""Is one candidate better than another, on the pictures that both have scored? In numbers and in one sentence."""

from dataclasses import dataclass
from functools import partial
from math import isnan
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from segdemo.errors import SettingError
from segdemo.evaluation.scores.measures import measure_of
from segdemo.evaluation.scores.results import CandidateResult, Evaluation
from segdemo.metrics import (
    RESAMPLES,
    Difference,
    Statistic,
    foreground_score,
    mean_of_values,
    paired_difference,
    values_as_counts,
)
from segdemo.text import _

__all__ = ["Comparison", "Verdict", "counted_pictures", "differences", "sentence", "verdict"]

Verdict = Literal["better", "worse", "unclear", "undefined"]
POINTS = 100  # a score of 0–1 in points
MIN_PICTURES = 5  # fewer are drawn again in so few ways that their interval means nothing
LOPSIDED = 1.25  # from this ratio of its two halves on, an interval is not written as ±
SCORES = ("iou", "dice", "precision", "recall")


@dataclass(frozen=True)
class Comparison:
    """Candidate a against b, both places in `Evaluation.results`, by one score; see `segdemo.metrics.Difference`.

    per_image: over pictures one by one instead of the counts of all. Points are hundredths of the score; low and high are the
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

    @property
    def lopsided(self) -> bool:
        """Whether the interval reaches clearly further to one side, so that ± would say less or more than was found."""
        below, above = sorted((self.points - self.low, self.high - self.points))
        return above > LOPSIDED * below


def differences(
    evaluation: Evaluation, a: int, b: int, score: str = "iou", *, per_image: bool = False, resamples: int = RESAMPLES,
    seed: int = 0,
) -> Comparison:  # fmt: skip
    """Compare two candidates by "iou", "dice", "precision" or "recall", a mean over the foreground classes, with a paired
    bootstrap over the pictures that both have scored. Raises SettingError for another score."""
    if score not in SCORES:
        raise SettingError(_('There is no score "{score}". These exist: {names}.', score=score, names=", ".join(SCORES)))
    first, second = evaluation.results[a], evaluation.results[b]
    counts = _common_counts(first, second)
    of_pictures: Statistic = partial(foreground_score, score=score)
    if per_image:
        values = [values_as_counts(of_pictures(side)) for side in counts]
        found = paired_difference(values[0], values[1], mean_of_values, resamples=resamples, seed=seed)
    else:
        found = paired_difference(counts[0], counts[1], of_pictures, resamples=resamples, seed=seed)
    return Comparison(a, b, first.candidate.key, second.candidate.key, score, per_image, found)


def _common_counts(first: CandidateResult, second: CandidateResult) -> list[NDArray[np.float64]]:
    """TP, FP, FN (I, C, 3) of both, of the pictures that both have scored, in one order."""
    places = [{scores.picture: place for place, scores in enumerate(result.pictures)} for result in (first, second)]
    both = [name for name in places[0] if name in places[1]]
    return [
        result.counts[[place[name] for name in both] or slice(0, 0)].astype(np.float64)
        for result, place in zip((first, second), places, strict=True)
    ]


def verdict(comparison: Comparison) -> Verdict:
    """ "better" or "worse" where the interval lies on one side of zero, "unclear" where it does not; "undefined" with fewer
    than five pictures."""
    if isnan(comparison.points) or isnan(comparison.low) or comparison.difference.pictures < MIN_PICTURES:
        return "undefined"
    if comparison.low > 0:
        return "better"
    return "worse" if comparison.high < 0 else "unclear"


def sentence(comparison: Comparison) -> str:
    """What was found, in words: better, worse, cannot be told apart, or no interval."""
    values = {"a": comparison.a_key, "b": comparison.b_key, "pictures": counted_pictures(comparison.difference.pictures),
              "score": _(measure_of(comparison.score).title)}  # fmt: skip
    if comparison.per_image:
        values["score"] = _("per-picture {score}", **values)
    found = verdict(comparison)
    if found == "undefined":
        return _("{a} and {b} cannot be compared: too few pictures have a score of both ({pictures}, of {least} at least).",
                 **values, least=MIN_PICTURES)  # fmt: skip
    values |= {"points": f"{abs(comparison.points):.1f}", "low": _signed(comparison.low),
               "high": _signed(comparison.high)}  # fmt: skip
    if found == "unclear":
        return _("{a} and {b} cannot be told apart on these {pictures}: the difference lies between {low} and {high} {score} "
                 "points.", **values)  # fmt: skip
    if comparison.lopsided:
        low, high = sorted((abs(comparison.low), abs(comparison.high)))
        values |= {"points": _("{points} ({low} to {high})", points=values["points"], low=f"{low:.1f}", high=f"{high:.1f}")}
    else:
        values |= {"points": _("{points} ± {margin}", points=values["points"], margin=f"{comparison.margin:.1f}")}
    if found == "better":
        return _("{a} is better than {b} by {points} {score} points on these {pictures}.", **values)
    return _("{a} is worse than {b} by {points} {score} points on these {pictures}.", **values)


def counted_pictures(count: int) -> str:
    """ "one picture", "12 pictures"."""
    return _("one picture") if count == 1 else _("{n} pictures", n=count)


def _signed(points: float) -> str:
    return f"{points:+.1f}".replace("-", "−")

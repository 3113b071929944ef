"""Examples for a report, chosen while a data set is gone through: never more than a few are in memory, and no network runs again.

`worst_pictures` chooses at the end. What it can choose is among the pictures with the lowest means and those with the
widest spreads seen so far, as many of each as there will be examples; only these are kept, reduced.
"""

import math
from collections.abc import Callable
from dataclasses import replace

from segdemo.evaluation.evaluate import JudgedPicture
from segdemo.evaluation.examples import PictureExample, make_example, worst_pictures
from segdemo.evaluation.scores.results import Evaluation
from segdemo.metrics import foreground_score
from segdemo.types import ClassInfo

__all__ = ["KeptExamples"]


class KeptExamples:
    """Up to `count` examples of the classes of an evaluation."""

    def __init__(self, classes: tuple[ClassInfo, ...], count: int = 6) -> None:
        self._classes, self._count = classes, count
        self._ranks: dict[str, tuple[float, float]] = {}  # mean and spread of the kept pictures
        self._kept: dict[str, tuple[PictureExample, tuple[str, ...]]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, judged: JudgedPicture) -> None:
        """Keep a picture if it is among the worst, or those on which the candidates differ most."""
        ious = [float(foreground_score(scores.counts)) for scores in judged.scores.values()]
        known = [value for value in ious if not math.isnan(value)]
        if not known or not self._count:
            return
        name = judged.picture.name
        self._ranks[name] = (sum(known) / len(known), max(known) - min(known))
        wanted = self._lowest(lambda n: self._ranks[n][0]) | self._lowest(lambda n: -self._ranks[n][1])
        if name in wanted:
            keys = tuple(judged.preds)
            preds = {place: judged.preds[key] for place, key in enumerate(keys)}
            example = make_example(name, judged.picture.image, judged.picture.target, preds, self._classes)
            self._kept[name] = (example, keys)
        self._ranks = {n: rank for n, rank in self._ranks.items() if n in wanted}
        self._kept = {n: kept for n, kept in self._kept.items() if n in wanted}

    def _lowest(self, rank: Callable[[str], float]) -> set[str]:
        return set(sorted(self._ranks, key=rank)[: self._count])

    def chosen(self, evaluation: Evaluation) -> list[PictureExample]:
        """The examples of the worst pictures, worst first, with predictions by the place of their candidate in `results`."""
        place_of = {result.candidate.key: place for place, result in enumerate(evaluation.results)}
        found = []
        for name in worst_pictures(evaluation, self._count):
            if name in self._kept:
                example, keys = self._kept[name]
                preds = {place_of[key]: example.preds[i] for i, key in enumerate(keys) if key in place_of}
                found.append(replace(example, preds=preds))
        return found

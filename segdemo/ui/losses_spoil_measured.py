"""Values, scores and gradients of one prediction, each computed once and remembered by what it was computed from."""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdemo.inference.cache import BoundedCache
from segdemo.losslab.damage import Logits, Mask
from segdemo.losslab.gradients import Scores, Settings, gradient_of, score, value_of

__all__ = ["Case", "case_of", "digest", "gradients", "scores", "value"]

VALUES, GRADIENT_BYTES = 4000, 40_000_000

_values: BoundedCache[tuple[object, ...], float] = BoundedCache(VALUES, lambda _value: 1)
_scores: BoundedCache[tuple[object, ...], Scores] = BoundedCache(VALUES, lambda _scores: 1)
_gradients: BoundedCache[tuple[object, ...], NDArray[np.float32]] = BoundedCache(GRADIENT_BYTES, lambda map_: map_.nbytes)


@dataclass(frozen=True)
class Case:
    """A prediction, its truth, and a name for both: equal names mean equal pixels."""

    logits: Logits
    truth: Mask
    key: str


def digest(pixels: NDArray[Any]) -> str:
    """A name of an array's shape and bytes."""
    return hashlib.blake2b(np.ascontiguousarray(pixels).tobytes(), digest_size=16, key=str(pixels.shape).encode()).hexdigest()


def case_of(logits: Logits, truth: Mask) -> Case:
    """A prediction with its truth."""
    return Case(logits, truth, digest(logits) + digest(truth))


def value(case: Case, name: str, settings: Settings) -> float:
    """The loss of that name."""
    return _values.get_or_make(_key(case, name, settings), lambda: value_of(name, case.logits, case.truth, settings))


def gradients(case: Case, name: str, settings: Settings) -> NDArray[np.float32]:
    """∂loss/∂logit (H, W)."""
    return _gradients.get_or_make(_key(case, name, settings), lambda: gradient_of(name, case.logits, case.truth, settings))


def scores(case: Case) -> Scores:
    """The scores of the predicted mask."""
    return _scores.get_or_make((case.key,), lambda: score(case.logits > 0, case.truth))


def _key(case: Case, name: str, settings: Settings) -> tuple[object, ...]:
    return case.key, name, *sorted(settings.items())

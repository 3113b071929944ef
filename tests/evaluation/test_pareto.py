"""The Pareto front by hand, and as comparing all pairs gives it."""

import numpy as np
import pytest

from segdemo.evaluation.pareto import pareto_front

NAN = float("nan")


@pytest.mark.parametrize(
    ("cost", "score", "front"),
    [
        ([1, 2, 3], [0.1, 0.2, 0.3], [0, 1, 2]),
        ([3, 1, 2], [0.3, 0.1, 0.05], [1, 0]),
        ([1, 1, 2], [0.5, 0.6, 0.6], [1]),  # the same cost, and the same score for more
        ([1, 1, 2], [0.5, 0.5, 0.7], [0, 1, 2]),  # equal points stay together
        ([1, NAN, 2, 0.5], [0.5, 0.9, NAN, 0.4], [3, 0]),
        ([NAN], [1.0], []),
        ([], [], []),
    ],
)
def test_pareto_front(cost: list[float], score: list[float], front: list[int]) -> None:
    assert pareto_front(cost, score) == front


def test_the_front_is_what_comparing_all_pairs_gives() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        cost, score = rng.integers(0, 6, 12).astype(float), rng.integers(0, 6, 12).astype(float)
        beaten = [
            any(cost[j] <= cost[i] and score[j] >= score[i] and (cost[j], score[j]) != (cost[i], score[i]) for j in range(12))
            for i in range(12)
        ]
        assert sorted(pareto_front(cost.tolist(), score.tolist())) == [i for i in range(12) if not beaten[i]]

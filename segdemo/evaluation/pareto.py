"""The Pareto front: what one would choose, whatever a point of score is worth to one."""

from collections.abc import Sequence
from math import isfinite

__all__ = ["pareto_front"]


def pareto_front(cost: Sequence[float], score: Sequence[float]) -> list[int]:
    """Indices of the points (N,) that no other one beats: none is at most as costly and scores at least as well, one of the
    two strictly. From cheap to costly; equal points are on it together or not at all. Points with a NaN or an infinity
    are left out."""
    known = [i for i in range(len(cost)) if isfinite(cost[i]) and isfinite(score[i])]
    front: list[int] = []
    for index in sorted(known, key=lambda i: (cost[i], -score[i], i)):
        last = front[-1] if front else None
        if last is None or score[index] > score[last] or (cost[index], score[index]) == (cost[last], score[last]):
            front.append(index)
    return front

"""Rounds that are fair to all: every one runs each once and begins with another."""

from segdemo.inference.speed import paired_rounds


def test_every_round_runs_each_once_and_begins_with_another() -> None:
    ran: list[str] = []
    runs = [lambda name=name: (ran.append(name), name.upper())[1] for name in "abc"]
    assert list(paired_rounds(runs, 3)) == [["A", "B", "C"]] * 3
    assert ["".join(ran[i : i + 3]) for i in range(0, 12, 3)] == ["abc", "bca", "cab", "abc"]

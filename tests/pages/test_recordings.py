"""The memory of recordings: bounded for each visitor and in all, shared where two look at the same."""

import gc

from segdemo.ui.recordings import Held, SharedMemory


def memory(max_bytes: int = 1000) -> SharedMemory[str, bytes]:
    return SharedMemory(max_bytes, len)


def test_a_visitor_gives_up_the_oldest_beyond_the_bound() -> None:
    shared, held = memory(), Held[str](max_bytes=250)
    for key in "abc":
        shared.get_or_make(held, key, lambda: bytes(100))
    assert list(held.sizes) == ["b", "c"]
    assert "a" not in shared.values
    assert shared.values.used_bytes == 200


def test_what_another_visitor_holds_stays() -> None:
    shared, one, other = memory(), Held[str](max_bytes=150), Held[str](max_bytes=150)
    made: list[str] = []
    for held in (one, other):
        shared.get_or_make(held, "a", lambda: made.append("a") or bytes(100))
    assert made == ["a"]
    shared.get_or_make(one, "b", lambda: bytes(100))
    assert "a" in shared.values
    shared.get_or_make(other, "b", lambda: bytes(100))
    assert "a" not in shared.values


def test_a_visitor_who_is_gone_holds_nothing() -> None:
    shared, gone, here = memory(), Held[str](max_bytes=150), Held[str](max_bytes=150)
    shared.get_or_make(gone, "a", lambda: bytes(100))
    shared.get_or_make(here, "a", lambda: bytes(100))
    del gone
    gc.collect()
    shared.get_or_make(here, "b", lambda: bytes(100))
    assert "a" not in shared.values


def test_one_that_is_larger_than_the_bound_is_still_shown() -> None:
    shared, held = memory(max_bytes=50), Held[str](max_bytes=50)
    assert len(shared.get_or_make(held, "a", lambda: bytes(100))) == 100
    assert list(held.sizes) == ["a"]

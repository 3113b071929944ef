"""The memory of recorded activations: bounded in all, and for each visitor, so that one cannot push out all others.

Visitors who look at the same picture with the same network share one recording. What a visitor holds is kept in the
session, and counts as long as the session lives.
"""

import os
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

import streamlit as st

from segdemo.inference.cache import BoundedCache

__all__ = ["Held", "SharedMemory", "held_by_visitor"]

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
HELD_KEY = "held_recordings"
VISITOR_BYTES = int(os.environ.get("SEGDEMO_VISITOR_FEATURES_MB", "600")) * 1_000_000


class Held(Generic[K]):
    """What one visitor has asked for, oldest first, with its size in bytes. It ends with the visitor's session."""

    def __init__(self, max_bytes: int = VISITOR_BYTES) -> None:
        self.max_bytes = max_bytes
        self.sizes: OrderedDict[K, int] = OrderedDict()

    def take(self, key: K, size: int) -> list[K]:
        """Note a use. Returns what this visitor no longer holds: the oldest beyond the bound, never the newest."""
        self.sizes[key] = size
        self.sizes.move_to_end(key)
        released = []
        while len(self.sizes) > 1 and sum(self.sizes.values()) > self.max_bytes:
            released.append(self.sizes.popitem(last=False)[0])
        return released


class SharedMemory(Generic[K, V]):
    """Values shared between visitors, up to `max_bytes` in all. One leaves when the last who held it gives it up; what
    ended sessions held leaves when room is needed. Safe for threads."""

    def __init__(self, max_bytes: int, size_of: Callable[[V], int]) -> None:
        self.values: BoundedCache[K, V] = BoundedCache(max_bytes, size_of)
        self._size_of = size_of
        self._visitors: weakref.WeakSet[Held[K]] = weakref.WeakSet()
        self._lock = threading.Lock()

    def get_or_make(self, held: Held[K], key: K, make: Callable[[], V]) -> V:
        """The value, made first if need be. What `make` raises is passed on."""
        value = self.values.get_or_make(key, make)
        with self._lock:
            self._visitors.add(held)
            for released in held.take(key, self._size_of(value)):
                if not any(released in visitor.sizes for visitor in self._visitors):
                    self.values.discard(released)
        return value


def held_by_visitor() -> Held[tuple[object, ...]]:
    """What this session holds."""
    held: Held[tuple[object, ...]] = st.session_state.setdefault(HELD_KEY, Held())
    return held

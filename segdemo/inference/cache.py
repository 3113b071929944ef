"""Two bounded memories of the engine, least recently used out first: networks, and predictions."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

__all__ = ["BoundedCache"]

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class _Making:
    """A lock that can be weakly referred to."""

    def __init__(self) -> None:
        self.lock = threading.Lock()


class BoundedCache(Generic[K, V]):
    """Values up to `max_bytes` in all, measured by `size_of`. The newest value stays even if it alone is larger.

    Safe for threads; two threads that miss the same key at once make it once.
    """

    def __init__(self, max_bytes: int, size_of: Callable[[V], int]) -> None:
        self.max_bytes = max_bytes
        self._size_of = size_of
        self._values: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self._used = 0
        self._lock = threading.Lock()
        # Weak: a key's lock lives as long as somebody makes, or waits for, its value.
        self._making: WeakValueDictionary[K, _Making] = WeakValueDictionary()

    def get(self, key: K) -> V | None:
        """The value, now the most recently used; None where there is none."""
        with self._lock:
            if key not in self._values:
                return None
            self._values.move_to_end(key)
            return self._values[key][0]

    def put(self, key: K, value: V) -> None:
        """Keep a value, and drop the least recently used beyond the bound."""
        size = self._size_of(value)
        with self._lock:
            self._used += size - self._values.pop(key, (value, 0))[1]
            self._values[key] = (value, size)
            while len(self._values) > 1 and self._used > self.max_bytes:
                self._used -= self._values.popitem(last=False)[1][1]

    def get_or_make(self, key: K, make: Callable[[], V], keep: Callable[[V], bool] = lambda _: True) -> V:
        """The value, made first if need be, and kept if `keep` says so. What `make` raises is passed on."""
        if (value := self.get(key)) is not None:
            return value
        with self._lock:
            making = self._making.setdefault(key, _Making())
        with making.lock:
            if (value := self.get(key)) is None:
                value = make()
                if keep(value):
                    self.put(key, value)
            return value

    def discard(self, key: K) -> None:
        """Forget a value, if it is there."""
        with self._lock:
            if key in self._values:
                self._used -= self._values.pop(key)[1]

    @property
    def used_bytes(self) -> int:
        """What the kept values take."""
        return self._used

    def __contains__(self, key: K) -> bool:
        with self._lock:
            return key in self._values

    def __len__(self) -> int:
        return len(self._values)

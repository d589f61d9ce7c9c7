"""What was just looked up, for a moment: a busy client's key is read from the vault once a second, not each time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Remembered(Generic[K, V]):
    """Values for ``seconds``; the oldest goes when there are more than ``most``."""

    def __init__(self, seconds: float = 1.0, most: int = 4096, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._most, self._clock = seconds, most, clock
        self._values: dict[K, tuple[float, V]] = {}

    def get(self, name: K) -> V | None:
        """What was put under ``name``, while it is fresh."""
        found = self._values.get(name)
        if found is None:
            return None
        if self._clock() - found[0] >= self._seconds:
            del self._values[name]
            return None
        return found[1]

    def is_old(self, name: K) -> bool:
        """Whether what was put under ``name`` is not fresh for much longer."""
        found = self._values.get(name)
        return found is not None and self._clock() - found[0] >= self._seconds / 2

    def put(self, name: K, value: V) -> None:
        """Remembers ``value``."""
        self._values.pop(name, None)
        while len(self._values) >= self._most:
            del self._values[next(iter(self._values))]
        self._values[name] = (self._clock(), value)

    def clear(self) -> None:
        """Forgets everything."""
        self._values.clear()

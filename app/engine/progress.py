"""How far a long piece of work has come."""

from __future__ import annotations

import time
from collections import deque
from typing import Literal

from msgspec import Struct

Stage = Literal["waiting", "downloading", "unpacking", "verifying", "copying"]

_WINDOW_SECONDS = 5.0


class Progress(Struct, frozen=True):
    """One moment of a download or a check.

    Attributes:
        stage: what is being done; ``waiting`` is for another process that does the same.
        done: bytes.
        total: bytes; ``None`` when nobody knows.
        bytes_per_second: over the last seconds; 0 while unknown.
        seconds_left: ``None`` while unknown.
    """

    stage: Stage
    done: int = 0
    total: int | None = None
    bytes_per_second: float = 0.0
    seconds_left: float | None = None


class Meter:
    """Turns counts of bytes into ``Progress`` with the speed of the last five seconds."""

    def __init__(self) -> None:
        self._stage: Stage | None = None
        self._seen: deque[tuple[float, int]] = deque()

    def at(self, stage: Stage, done: int, total: int | None) -> Progress:
        """The progress at this moment."""
        now = time.monotonic()
        if stage != self._stage or (self._seen and done < self._seen[-1][1]):
            self._stage = stage
            self._seen.clear()
        self._seen.append((now, done))
        while now - self._seen[0][0] > _WINDOW_SECONDS and len(self._seen) > 2:
            self._seen.popleft()
        then, before = self._seen[0]
        speed = (done - before) / (now - then) if now - then > 0.2 else 0.0
        left = (total - done) / speed if total is not None and speed > 0 else None
        return Progress(stage, done, total, speed, left)

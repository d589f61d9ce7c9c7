"""When the person or an answer needs the machine, so that memory's own work waits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

QUIET_AFTER = 2.0
"""Seconds without a key until work goes on."""

_LOOK_EVERY = 0.25


class Attention:
    """Knows whether the machine is needed for something better than memory's work in the background.

    Args:
        clock: seconds, going up evenly.

    Attributes:
        busy: asked besides: whether an answer comes just now.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._typed_at = -QUIET_AFTER
        self._answers = 0
        self.busy: Callable[[], bool] = lambda: False

    @property
    def wanted(self) -> bool:
        """Whether somebody types or an answer comes just now."""
        return self._answers > 0 or self.busy() or self._clock() - self._typed_at < QUIET_AFTER

    def typed(self) -> None:
        """A key was pressed."""
        self._typed_at = self._clock()

    @contextmanager
    def answering(self) -> Iterator[None]:
        """An answer comes for as long as this is open."""
        self._answers += 1
        try:
            yield
        finally:
            self._answers -= 1

    async def quiet(self) -> None:
        """Waits until the machine is free."""
        while self.wanted:  # noqa: ASYNC110 (half of what this waits for is time)
            await asyncio.sleep(_LOOK_EVERY)

"""What a worker has told of one transcription and its reader has not yet taken."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from app.engine.speech import Heard
from app.errors import PlaygroundError


class Hearing:
    """Collects a transcription's events until its reader comes for them."""

    def __init__(self) -> None:
        self._heard: list[Heard] = []
        self._error: PlaygroundError | None = None
        self._changed = asyncio.Event()
        self.ended = False
        """Whether the worker has nothing more to say about this request."""

    def add(self, heard: Iterable[Heard], *, done: bool) -> None:
        """More of the transcription."""
        self._heard.extend(heard)
        self.ended = self.ended or done
        self._changed.set()

    def fail(self, error: PlaygroundError) -> None:
        """The request ends badly; what came before stays good. An end that is already known stays."""
        if not self.ended:
            self._error, self.ended = error, True
            self._changed.set()

    async def take(self) -> tuple[Heard, ...]:
        """Waits until there is something, and takes all of it; nothing when it has ended well.

        Raises:
            PlaygroundError: the request's own error, when everything before it has been taken.
        """
        while not self._heard and not self.ended:
            self._changed.clear()
            await self._changed.wait()
        taken = tuple(self._heard)
        self._heard.clear()
        if not taken and self._error is not None:
            raise self._error
        return taken

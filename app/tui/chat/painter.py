"""Brings a fast stream onto the screen without making it stutter."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress

from app.chat.pacing import Pacing
from app.privacy.terminal import StreamCleaner

EVERY = 1 / 20
"""Seconds between paints: smooth to the eye, and it leaves the time between for keys."""

SHARE = 2.0
"""A paint that took long, layout and all, is followed by a pause this many times as long: keys do not queue behind."""


class StreamPainter:
    """Collects what streams in, cleans it, and writes it in few larger pieces.

    ``feed`` takes text as it comes; ``run`` is a task that writes; ``finish`` writes the rest and ends ``run``.
    """

    def __init__(self, write: Callable[[str], Awaitable[None]], *, every: float = EVERY) -> None:
        self._write = write
        self._every = every
        self._cleaner = StreamCleaner()
        self._pending: list[str] = []
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._writing: asyncio.Future[None] | None = None

    def feed(self, text: str) -> None:
        """Takes more of the stream. Costs nothing worth measuring."""
        if cleaned := self._cleaner.feed(text):
            self._pending.append(cleaned)
            self._news.set()
            if self._task is None:
                self._task = asyncio.create_task(self._run())

    async def finish(self) -> None:
        """Writes everything that is left. Safe to call twice."""
        if rest := self._cleaner.finish():
            self._pending.append(rest)
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        if self._writing is not None:
            await self._writing
        await self._flush()

    async def _run(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            began = time.perf_counter()
            # A write that has begun is finished even when the stream ends meanwhile: half of one would be lost, and
            # two at once would be mixed.
            self._writing = asyncio.ensure_future(self._flush())
            await asyncio.shield(self._writing)
            self._writing = None
            await asyncio.sleep(max(self._every, SHARE * (time.perf_counter() - began)))

    async def _flush(self) -> None:
        text = "".join(self._pending)
        self._pending.clear()
        if text:
            await self._write(text)


class PacedPainter:
    """A painter in front of which the stream is slowed to a reader's pace."""

    def __init__(self, painter: StreamPainter) -> None:
        self._painter = painter
        self._pieces: asyncio.Queue[str | None] = asyncio.Queue()
        self._pacing = Pacing(self._arriving())
        self._task: asyncio.Task[None] | None = None

    def feed(self, text: str) -> None:
        """Takes more of the stream."""
        self._pieces.put_nowait(text)
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def drain(self) -> None:
        """Returns when everything has been given to the painter, at its pace."""
        self._pieces.put_nowait(None)
        if self._task is not None:
            await asyncio.shield(self._task)

    async def finish(self) -> None:
        """Writes everything that is left at once. Safe to call twice."""
        self._pacing.hurry()
        await self.drain()
        await self._painter.finish()

    async def _arriving(self) -> AsyncGenerator[str, None]:
        while (text := await self._pieces.get()) is not None:
            yield text

    async def _run(self) -> None:
        async for text in self._pacing:
            self._painter.feed(text)

"""Finds the file that is meant by a few of its letters, in threads that nobody waits for too long."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from app.chat.attaching.aside import aside

if TYPE_CHECKING:
    from app.chat.attaching.fuzzy import FuzzyPaths

_FRESH = 20.0
"""Seconds that a list of files is good for; after them it is made anew behind the one that is shown."""

_LISTING = 6.0
_SEARCHING = 2.0
_ELSEWHERE = ("/", "~", "./", "../")


class FileFinder:
    """The files below the folder that the program was started in.

    Args:
        folder: where that is, asked each time.
        clock: seconds, of any beginning.
    """

    def __init__(self, folder: Callable[[], Path] = Path.cwd, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder, self._clock = folder, clock
        self._paths: FuzzyPaths | None = None
        self._listed = 0.0
        self._listing: asyncio.Task[None] | None = None
        self._ended = Event()

    async def find(self, words: str) -> tuple[str, ...]:
        """The paths that fit best; nothing when there are none, or it takes too long. May be cancelled."""
        stopped = Event()
        try:
            if words.startswith(_ELSEWHERE):
                from app.chat.attaching.listing import entries_at

                return tuple(await aside(lambda: entries_at(words), _SEARCHING))
            paths = await self._current()
            if paths is None:
                return ()
            return await aside(lambda: paths.find(words, stopped=stopped.is_set), _SEARCHING)
        except TimeoutError:
            return ()
        finally:
            stopped.set()

    def close(self) -> None:
        """Lists no further."""
        self._ended.set()
        if self._listing is not None:
            self._listing.cancel()

    async def _current(self) -> FuzzyPaths | None:
        old = self._clock() - self._listed > _FRESH
        if (self._paths is None or old) and self._listing is None:
            self._listing = asyncio.create_task(self._list())
            self._listing.add_done_callback(self._end_listing)
        if self._paths is None and self._listing is not None:
            # Whoever types on calls the search off, and not the listing.
            await asyncio.wait((self._listing,))
        return self._paths

    def _end_listing(self, task: asyncio.Task[None]) -> None:
        self._listing = None

    async def _list(self) -> None:
        from app.chat.attaching.fuzzy import FuzzyPaths
        from app.chat.attaching.listing import files_below

        def listed() -> FuzzyPaths:
            return FuzzyPaths(files_below(self._folder(), stopped=self._ended.is_set))

        # Where the folder is gone, or its server is, what was known of it is all there is.
        with suppress(TimeoutError, OSError):
            self._paths = await aside(listed, _LISTING)
        self._listed = self._clock()

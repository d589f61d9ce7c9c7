"""Gives a streamed answer in groups of words, as a person would read it out, instead of in jerks."""

from __future__ import annotations

import asyncio
import itertools
import re
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

_WORD = re.compile(r"\s*\S+\s*")

SIZES = (3, 2, 4, 3, 5, 2, 3, 4)
"""Words a group, in turn: even groups look like a machine's."""

PER_WORD = 0.07
"""Seconds a word: somewhat faster than people read."""

BEHIND = 1.8
"""Seconds after which text is shown at the latest; to keep this, the pauses shrink and then the groups grow."""

SHORTEST = 0.02
"""Seconds: shorter pauses cannot be seen, so the groups grow instead."""

_PAUSES = {",": 0.12, ";": 0.18, ":": 0.18, ".": 0.3, "!": 0.3, "?": 0.3, "…": 0.3}
_NEW_PARAGRAPH = 0.25


@dataclass
class _Arrival:
    """Text that came at one moment, in seconds of the clock; ``letters`` of it have not been given yet."""

    at: float
    letters: int


class Pacing:
    """The text of an iterator in groups of two to five words, with longer pauses after punctuation.

    Nothing is lost, changed or put in another order. What has come is given at most about ``BEHIND`` seconds later,
    however fast it comes. Use it in ``async for``, once; close it to let go of the source.

    Args:
        source: the pieces as they come; an error that it raises is raised after everything before it was given.
        clock: seconds, as ``time.monotonic``.
        sleep: as ``asyncio.sleep``.
    """

    def __init__(
        self,
        source: AsyncIterator[str],
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._source = source
        self._clock = clock
        self._sleep = sleep
        self._waiting = ""
        self._arrivals: deque[_Arrival] = deque()
        self._sizes = itertools.cycle(SIZES)
        self._news = asyncio.Event()
        self._hurried = asyncio.Event()
        self._over = False
        self._rest = 0.0  # seconds after the group that was given last

    def hurry(self) -> None:
        """No more pauses: what is there, and what still comes, is given at once."""
        self._hurried.set()
        self._news.set()

    async def __aiter__(self) -> AsyncGenerator[str, None]:
        """Groups of words; together they are the text of the source."""
        reading = asyncio.create_task(self._read())
        try:
            while True:
                group = self._next_group()
                if group:
                    yield group
                    await self._pause(self._rest)
                elif self._over:
                    break
                else:
                    await self._more()
            await reading
        finally:
            reading.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.wait((reading,))

    async def _read(self) -> None:
        try:
            async for text in self._source:
                if text:
                    self._waiting += text
                    self._arrivals.append(_Arrival(self._clock(), len(text)))
                    self._news.set()
        finally:
            self._over = True
            self._news.set()

    async def _more(self) -> None:
        """Returns when there is more text, when what is there has waited too long, or when there is no time to wait."""
        self._news.clear()
        if not self._arrivals:
            await self._news.wait()
            return
        # The last word may go on: it waits for what follows it, but not for ever.
        left = self._left(self._arrivals[0])
        if left > 0:
            await self._either(self._sleep(left), self._news.wait())

    async def _pause(self, seconds: float) -> None:
        if seconds > 0 and not self._hurried.is_set():
            await self._either(self._sleep(seconds), self._hurried.wait())

    async def _either(self, *waits: Awaitable[object]) -> None:
        tasks = [asyncio.ensure_future(wait) for wait in waits]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()

    def _next_group(self) -> str:
        """The words that are due now; nothing while even the first may still go on."""
        if not self._waiting:
            return ""
        if self._hurried.is_set():
            return self._take(len(self._waiting))
        least, haste = self._overdue(), self._haste()
        wanted = max(next(self._sizes), _words_a_pause(haste))
        end = count = 0
        for word in _WORD.finditer(self._waiting):
            whole = word.end() < len(self._waiting) or word.group()[-1].isspace() or self._over
            if not whole and word.end() > least:
                break
            end, count = word.end(), count + 1
            ended = count >= 2 and word.group().rstrip()[-1] in _PAUSES and wanted <= max(SIZES)
            if end >= least and (count >= wanted or ended):
                break
        else:
            # All of it, or white space alone, which belongs to the word before it.
            end = len(self._waiting) if self._over or end or least else 0
        if not (end or least):
            return ""
        group = self._take(max(end, least))
        self._rest = _pause_after(group) * haste
        return group

    def _overdue(self) -> int:
        """Letters that have waited for ``BEHIND`` seconds already."""
        return sum(arrival.letters for arrival in self._arrivals if not self._left(arrival))

    def _left(self, arrival: _Arrival) -> float:
        """Seconds until text must be given; 0 when it is time."""
        left = arrival.at + BEHIND - self._clock()
        return left if left > 0.001 else 0.0

    def _haste(self) -> float:
        """The share of the natural pauses, 0 to 1, with which everything is given in time."""
        letters, share = 0, 1.0
        for arrival in self._arrivals:
            letters += arrival.letters
            natural = letters / 6 * PER_WORD * 1.5  # six letters a word, and half as much again for punctuation
            share = min(share, self._left(arrival) / natural)
        return share

    def _take(self, letters: int) -> str:
        group, self._waiting = self._waiting[:letters], self._waiting[letters:]
        while self._arrivals and letters >= self._arrivals[0].letters:
            letters -= self._arrivals.popleft().letters
        if letters:
            self._arrivals[0].letters -= letters
        return group


def _words_a_pause(haste: float) -> int:
    """Words that a group must have at least, that its pause can be seen."""
    pace = PER_WORD * haste
    return int(min(SHORTEST / pace, 1_000_000)) if pace else 1_000_000


def _pause_after(group: str) -> float:
    text = group.rstrip()
    pause = len(text.split()) * PER_WORD + _PAUSES.get(text[-1:], 0.0)
    return pause + _NEW_PARAGRAPH if "\n\n" in group else pause


async def paced(source: AsyncIterator[str], *, on: bool) -> AsyncGenerator[str, None]:
    """The text of ``source``, paced or as fast as it comes."""
    async for text in Pacing(source) if on else source:
        yield text

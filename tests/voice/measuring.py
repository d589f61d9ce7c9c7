"""How well and how soon dictation writes: spoken sentences through a microphone, with the times of what comes."""

from __future__ import annotations

import asyncio
import re
import time
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeVar

from app.voice.dictation import Dictation, DictationEvent, Final, Partial, Stopped
from tests.voice.virtual_microphone import VirtualMicrophone

T = TypeVar("T")
_PATIENCE = 60.0
_ORDINALS = {"20": "twenty", "7": "seven", "7.30": "half past seven"}


@dataclass(frozen=True)
class Measured:
    """One sentence: what was said and heard; seconds from the speech's beginning to the first text, and from its end
    to the final one.
    """

    said: str
    heard: str
    first_partial: float | None
    final: float


def words(text: str) -> list[str]:
    """The words in small letters; numbers as they are said."""
    found = re.findall(r"[a-z0-9']+", text.lower())
    return [_ORDINALS.get(word, word) for word in found]


def errors(said: str, heard: str) -> int:
    """Words that must be put in, taken away or changed."""
    one, other = words(heard), words(said)
    row = list(range(len(other) + 1))
    for number, word in enumerate(one, 1):
        last, row = row, [number]
        for place, wanted in enumerate(other, 1):
            row.append(min(last[place] + 1, row[-1] + 1, last[place - 1] + (word != wanted)))
    return row[-1]


def error_rate(measured: list[Measured]) -> float:
    """Word error rate over all."""
    return sum(errors(each.said, each.heard) for each in measured) / sum(len(words(each.said)) for each in measured)


class Listener:
    """Runs a dictation beside a test and keeps its events with their times."""

    def __init__(self, dictation: Dictation) -> None:
        self.dictation = dictation
        self.events: list[tuple[float, DictationEvent]] = []
        self._changed = asyncio.Event()
        self._prepared = False
        self.task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        async with aclosing(self.dictation.events()) as events:
            async for event in events:
                self.events.append((time.monotonic(), event))
                self._changed.set()

    def of(self, kind: type[T], since: float = 0.0) -> list[tuple[float, T]]:
        return [(at, event) for at, event in self.events if isinstance(event, kind) and at >= since]

    async def until(
        self, kind: type[DictationEvent], since: float = 0.0, patience: float = _PATIENCE
    ) -> DictationEvent:
        async with asyncio.timeout(patience):
            while not self.of(kind, since):
                if self.task.done():
                    self.task.result()
                    raise AssertionError(
                        f"it ended without {kind.__name__}: {[event for _at, event in self.events[-3:]]}"
                    )
                self._changed.clear()
                await self._changed.wait()
        return self.of(kind, since)[0][1]

    async def ended(self) -> Stopped:
        async with asyncio.timeout(_PATIENCE):
            await self.task
        event = self.events[-1][1]
        assert isinstance(event, Stopped)
        return event


async def measure(microphone: VirtualMicrophone, listener: Listener, said: str, pcm: bytes) -> Measured:
    """Plays one sentence and waits until it is written."""
    playing = asyncio.create_task(microphone.play(pcm))
    start = time.monotonic()
    await playing
    _began, ended = playing.result()
    begun = ended - len(pcm) / 4 / 16_000
    await listener.until(Final, start)
    await asyncio.sleep(0.1)
    finals = listener.of(Final, start)
    partials = listener.of(Partial, start)
    first = min([at for at, event in partials] + [finals[0][0]])
    return Measured(said, " ".join(event.heard for _at, event in finals), first - begun, finals[-1][0] - ended)

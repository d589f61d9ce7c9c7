"""Dictation: from a microphone to edits at the cursor, with the words shown while they are said."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable
from typing import Literal

from msgspec import Struct

from app.errors import PlaygroundError

from .activity import FRAME_BYTES, FRAME_SECONDS
from .agreement import Agreement
from .microphone import Microphone
from .spoken import Edit, apply, interpret
from .transcriber import HeardSpeech, Transcriber
from .utterances import Utterance, UtteranceCutter

_LEVEL_FRAMES = 3
_LEAST_SPEECH_SECONDS = 0.14
_FIRST_SECONDS = 0.4
_STEP_SECONDS = 0.3
_QUICK_PAUSE_SECONDS = 0.14
"""After so short a pause it is written down as if the speaker had ended: if so, it is ready when that is certain."""

_NEAR_PAUSE_SECONDS = 0.06
"""While a pause may have begun no partial text is asked for: the final one would wait for it."""


class Preparing(Struct, frozen=True):
    """The model is being loaded."""


class Listening(Struct, frozen=True):
    """From now on everything is heard; ``device`` is the microphone's name."""

    device: str


class Level(Struct, frozen=True):
    """How loud it is, every 60 ms: root mean square, 0 to 1; ``speaking`` while an utterance is open."""

    rms: float
    speaking: bool


class Partial(Struct, frozen=True):
    """What is being said, so far; the first ``settled`` characters will hardly change any more."""

    text: str
    settled: int = 0


class Final(Struct, frozen=True):
    """An utterance is over.

    Attributes:
        heard: its words as the model wrote them.
        edits: what they do to the text at the cursor; to be applied before the next event is asked for. None where it
            was a noise, and what was partial is gone.
    """

    heard: str
    edits: tuple[Edit, ...]


Reason = Literal["asked", "spoken", "quiet", "fault"]


class Stopped(Struct, frozen=True):
    """The last event: the microphone is closed, and everything that was said before has been given.

    By ``stop()``, by "stop dictation", after long silence, or by a fault, which ``error`` tells.
    """

    reason: Reason
    error: PlaygroundError | None = None


DictationEvent = Preparing | Listening | Level | Partial | Final | Stopped


class Dictation:
    """One dictation, from pressing the key to its end. Audio is kept in memory, an utterance at a time.

    Args:
        microphone: what listens.
        transcriber: what writes down.
        before: gives the text before the cursor; without it the dictation takes its own text for that.
        language: of the spoken commands; empty goes by what the transcriber hears.
        hands_free: cuts at pauses and goes on until silence or "stop dictation". Otherwise it is push-to-talk: one
            utterance until ``stop()``, however the speaker pauses, cut only where it grows too long.
        pause_s: silence that ends an utterance.
        quiet_s: hands-free, seconds without speech after which it stops by itself; 0 never does.
    """

    def __init__(
        self,
        microphone: Microphone,
        transcriber: Transcriber,
        *,
        before: Callable[[], str] | None = None,
        language: str = "",
        hands_free: bool = True,
        pause_s: float = 0.6,
        quiet_s: float = 60.0,
    ) -> None:
        self._microphone, self._transcriber = microphone, transcriber
        self._before, self._language = before, language
        self._quiet = quiet_s if hands_free else 0.0
        self._cutter = UtteranceCutter(pause_s=pause_s if hands_free else 3600.0)
        self._waiting: deque[Utterance] = deque()
        self._events: asyncio.Queue[DictationEvent | None] = asyncio.Queue()
        self._changed = asyncio.Event()
        self._stopping: Reason | None = None
        self._closed = False
        self._error: PlaygroundError | None = None
        self._phrases: tuple[str, ...] = ()
        self._text = ""
        self._spoken_language = "en"
        self._quiet_for = 0.0

    @property
    def text(self) -> str:
        """Everything that was dictated; only where no ``before`` was given."""
        return self._text

    def stop(self) -> None:
        """Ends it: what was said until now is still written down, then ``Stopped`` comes."""
        self._stopping = self._stopping or "asked"

    async def events(self) -> AsyncGenerator[DictationEvent, None]:
        """Runs the dictation; closing the generator ends it at once and throws away what is not final.

        Faults of the microphone or the transcriber are no exceptions here: they come as ``Stopped``, after the text.
        """
        tasks = [asyncio.create_task(self._run(self._listen)), asyncio.create_task(self._run(self._write))]
        try:
            ended = 0
            while ended < len(tasks):
                event = await self._events.get()
                if event is None:
                    ended += 1
                    continue
                yield self._edited(event) if isinstance(event, Final) else event
            for task in tasks:
                task.result()  # a fault of our own is not hidden
            yield Stopped("fault" if self._error else self._stopping or "asked", self._error)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, work: Callable[[], AsyncGenerator[DictationEvent, None]]) -> None:
        """Passes on what a part tells; a fault of either ends both, in their order."""
        try:
            async for event in work():
                self._events.put_nowait(event)
        except PlaygroundError as error:
            self._error = self._error or error
            self._stopping = "fault"
        finally:
            self._events.put_nowait(None)

    # The microphone

    async def _listen(self) -> AsyncGenerator[DictationEvent, None]:
        try:
            async with self._microphone.open() as sound:
                yield Listening(sound.device)
                kept, frames = bytearray(), 0
                async for block in sound:
                    kept += block
                    while len(kept) >= FRAME_BYTES:
                        self._hear(bytes(kept[:FRAME_BYTES]))
                        del kept[:FRAME_BYTES]
                        frames += 1
                        if frames % _LEVEL_FRAMES == 0:
                            yield Level(self._cutter.level, self._cutter.current is not None)
                    if self._stopping:
                        return
        finally:
            self._cutter.end()
            self._closed = True
            self._changed.set()

    def _hear(self, frame: bytes) -> None:
        begun = self._cutter.feed(frame)
        if begun is not None:
            self._waiting.append(begun)
        self._quiet_for = 0.0 if self._cutter.current is not None else self._quiet_for + FRAME_SECONDS
        if self._quiet and self._quiet_for >= self._quiet:
            self._stopping = self._stopping or "quiet"
        if self._waiting:
            self._changed.set()

    # The words

    async def _write(self) -> AsyncGenerator[DictationEvent, None]:
        yield Preparing()
        await self._transcriber.prepare()
        while True:
            if not self._waiting:
                if self._closed:
                    return
                await self._change()
                continue
            utterance = self._waiting[0]
            async for event in self._follow(utterance):
                yield event
            self._waiting.popleft()

    async def _follow(self, utterance: Utterance) -> AsyncGenerator[DictationEvent, None]:
        """Writes one utterance down, again and again while it grows."""
        agreement = Agreement()
        last = HeardSpeech("")
        covered = settled_at = 0
        took = 0.0
        try:
            while not (utterance.ended and settled_at == utterance.spoken):
                if self._transcriber.asked_once and not utterance.ended:
                    await self._change()
                    continue
                pausing = utterance.ended or utterance.pause_seconds >= _QUICK_PAUSE_SECONDS
                final = pausing and settled_at != utterance.spoken
                if utterance.speech_seconds < _LEAST_SPEECH_SECONDS:
                    if utterance.ended:
                        break
                    await self._change()
                    continue
                if not final and not self._worth_it(utterance, covered, took):
                    await self._change()
                    continue
                covered, spoken = len(utterance.samples), utterance.spoken
                began = time.monotonic()
                last = await self._transcriber.hear(bytes(utterance.samples), final=final)
                took = time.monotonic() - began
                if final:
                    settled_at = spoken
                if last.text and not (utterance.ended and settled_at == utterance.spoken):
                    yield Partial(last.text, agreement.settled(last.text))
        except PlaygroundError:
            # What was understood so far is better than nothing.
            yield self._final(last)
            raise
        yield self._final(last)

    def _worth_it(self, utterance: Utterance, covered: int, took: float) -> bool:
        """Whether enough more was said to write it down once more, when that took so many seconds the last time.

        On a slow or busy machine half of the time stays free, so that the final text seldom waits for a partial one.
        """
        if utterance.pause_seconds >= _NEAR_PAUSE_SECONDS:
            return False
        new = (len(utterance.samples) - covered) / 2 / 16_000
        return new >= max(_STEP_SECONDS, took * 2) if covered else utterance.speech_seconds >= _FIRST_SECONDS

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    def _final(self, heard: HeardSpeech) -> Final:
        # The edits are made out when the event is taken: the text before the cursor may change until then.
        if not self._language and heard.text and heard.language:
            self._spoken_language = heard.language
        return Final(heard.text, ())

    def _edited(self, event: Final) -> Final:
        before = self._before() if self._before is not None else self._text
        found = interpret(event.heard, before, self._phrases, self._language or self._spoken_language)
        self._phrases = found.phrases
        if self._before is None:
            self._text = apply(before, found.edits)
        if found.stop:
            self._stopping = self._stopping or "spoken"
        return Final(event.heard, found.edits)

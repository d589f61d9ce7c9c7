"""Dictation: in which order things come, how it ends, and what becomes of the text when something fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

import numpy as np
import pytest

from app.errors import EngineError, MicrophoneLostError, NoMicrophoneError, PlaygroundError
from app.voice.dictation import Dictation, DictationEvent, Final, Level, Listening, Partial, Preparing, Stopped
from app.voice.microphone import Microphone, Sound
from app.voice.spoken import apply
from app.voice.transcriber import HeardSpeech
from tests.engine.speech import say, silence
from tests.voice.virtual_microphone import speech_only


class Played(Microphone):
    """A microphone that hears what is written down for it, as fast as it is taken; then silence, or its end."""

    def __init__(self, pcm: bytes, error: PlaygroundError | None = None, then: bool = True) -> None:
        super().__init__()
        samples = np.clip(np.frombuffer(pcm, np.float32), -1, 1) * 32767
        self.samples, self.error, self.then = samples.astype("<i2").tobytes(), error, then
        self.is_open = False

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Sound]:
        if self.error is not None and not self.samples:
            raise self.error
        self.is_open = True
        try:
            yield Sound("a test", self._play())
        finally:
            self.is_open = False

    async def _play(self) -> AsyncGenerator[bytes, None]:
        # Not of a frame's length, as a system's own blocks are not.
        for start in range(0, len(self.samples), 500):
            yield self.samples[start : start + 500]
            await asyncio.sleep(0.0005)
        if self.error is not None:
            raise self.error
        while True:
            yield bytes(640)
            await asyncio.sleep(0.001 if self.then else 0.0)


class Script:
    """Writes down what is in its list, one utterance after the other, word by word as the utterance grows."""

    asked_once = False

    def __init__(self, *texts: str, error: PlaygroundError | None = None, fail_after: int = 1000) -> None:
        self.texts, self.error, self.left = list(texts), error, fail_after
        self.calls: list[tuple[float, bool]] = []
        self._place = 0
        self._last = 0

    async def prepare(self) -> None:
        if self.left <= 0 and self.error is not None:
            raise self.error

    async def hear(self, samples: bytes, *, final: bool) -> HeardSpeech:
        await asyncio.sleep(0.003)
        if self.left <= len(self.calls) and self.error is not None:
            raise self.error
        if len(samples) < self._last:
            self._place += 1
        self._last = len(samples)
        self.calls.append((len(samples) / 32_000, final))
        words = self.texts[min(self._place, len(self.texts) - 1)].split()
        return HeardSpeech(" ".join(words[: None if final else max(1, int(len(samples) / 32_000 * 2))]), "en")


@pytest.fixture(scope="module")
def long() -> bytes:
    return speech_only(say("Please send the long report to everyone in the office before noon.", "en-us"))


@pytest.fixture(scope="module")
def short() -> bytes:
    return speech_only(say("Good morning.", "en-us"))


async def everything(dictation: Dictation, stop_after: int = 1000) -> list[DictationEvent]:
    events = []
    async with aclosing(dictation.events()) as told, asyncio.timeout(30):
        async for event in told:
            events.append(event)
            if sum(isinstance(each, Final) for each in events) == stop_after:
                dictation.stop()
    return events


def finals(events: list[DictationEvent]) -> list[str]:
    return [event.heard for event in events if isinstance(event, Final)]


async def test_words_come_while_they_are_said_and_settle(long: bytes, short: bytes) -> None:
    text = "Please send the long report to everyone."
    dictation = Dictation(Played(silence(0.5) + long + silence(1) + short), Script(text, "Good morning."))
    events = await everything(dictation, stop_after=2)
    assert finals(events) == [text, "Good morning."]
    assert dictation.text == f"{text} Good morning."
    assert events[-1] == Stopped("asked")
    kinds = [type(event) for event in events if not isinstance(event, Level)]
    assert set(kinds[:2]) == {Preparing, Listening}
    first = next(number for number, event in enumerate(events) if isinstance(event, Final))
    partials = [event for event in events[:first] if isinstance(event, Partial)]
    assert len(partials) >= 3
    assert [len(event.text) for event in partials] == sorted(len(event.text) for event in partials)
    assert partials[0].settled == 0 < partials[-1].settled
    levels = [event for event in events if isinstance(event, Level)]
    assert max(level.rms for level in levels) > 0.05
    assert {level.speaking for level in levels} == {True, False}


async def test_edits_fit_the_text_before_the_cursor_as_it_is_when_they_come(short: bytes) -> None:
    editor = "Typed."
    dictation = Dictation(
        Played(silence(0.5) + short + silence(1) + short + silence(1) + short),
        Script("Hello, comma", "Scratch that.", "World. Stop dictation."),
        before=lambda: editor,
    )
    seen = []
    async with aclosing(dictation.events()) as events, asyncio.timeout(30):
        async for event in events:
            if isinstance(event, Final):
                editor = apply(editor, event.edits)
                seen.append(editor)
            last = event
    assert seen == ["Typed. Hello,", "Typed.", "Typed. World."]
    assert last == Stopped("spoken")


async def test_what_was_said_until_the_stop_is_written(long: bytes) -> None:
    microphone = Played(silence(0.3) + long)
    dictation = Dictation(microphone, Script("All of it."))
    events = []
    async with aclosing(dictation.events()) as told, asyncio.timeout(30):
        async for event in told:
            events.append(event)
            if isinstance(event, Partial):
                dictation.stop()
    assert finals(events) == ["All of it."]
    assert events[-1] == Stopped("asked")
    assert not microphone.is_open


async def test_push_to_talk_is_one_utterance_however_the_speaker_pauses(short: bytes) -> None:
    microphone = Played(silence(0.3) + short + silence(2) + short + silence(2) + short)
    script = Script("One two three.")
    dictation = Dictation(microphone, script, hands_free=False, quiet_s=1.0)
    events = []
    async with aclosing(dictation.events()) as told, asyncio.timeout(30):
        async for event in told:
            events.append(event)
            if script.calls and script.calls[-1][0] > 6:
                dictation.stop()
    assert finals(events) == ["One two three."]


async def test_long_silence_ends_it(short: bytes) -> None:
    events = await everything(Dictation(Played(short, then=False), Script("Hi."), quiet_s=5.0))
    assert events[-1] == Stopped("quiet")
    assert finals(events) == ["Hi."]


async def test_a_microphone_that_is_unplugged_keeps_the_text(long: bytes) -> None:
    lost = MicrophoneLostError("It is gone.", "Plug it in.")
    dictation = Dictation(Played(silence(0.3) + long[: len(long) // 8 * 4], error=lost), Script("Half of it."))
    events = await everything(dictation)
    assert finals(events) == ["Half of it."]
    assert events[-1] == Stopped("fault", lost)
    assert dictation.text == "Half of it."


async def test_no_microphone_is_told_as_the_end() -> None:
    missing = NoMicrophoneError("There is none.", "Plug one in.")
    events = await everything(Dictation(Played(b"", error=missing), Script("")))
    assert events[-1] == Stopped("fault", missing)
    assert not finals(events)


async def test_a_transcriber_that_fails_keeps_what_it_understood(long: bytes) -> None:
    broken = EngineError("It broke.")
    microphone = Played(silence(0.3) + long)
    dictation = Dictation(microphone, Script("Please send the report now.", error=broken, fail_after=3))
    events = await everything(dictation)
    assert len(finals(events)) == 1
    assert finals(events)[0].startswith("Please send")
    assert dictation.text.startswith("Please send")
    assert events[-1] == Stopped("fault", broken)
    assert not microphone.is_open


async def test_a_model_that_cannot_be_loaded_is_told_and_closes_the_microphone(long: bytes) -> None:
    broken = EngineError("Not here.")
    microphone = Played(long)
    events = await everything(Dictation(microphone, Script("x", error=broken, fail_after=0)))
    assert events[-1] == Stopped("fault", broken)
    assert not microphone.is_open


async def test_leaving_closes_the_microphone_and_leaves_no_task(long: bytes) -> None:
    microphone = Played(silence(0.3) + long)
    before = asyncio.all_tasks()
    async with aclosing(Dictation(microphone, Script("x")).events()) as events:
        async for event in events:
            if isinstance(event, Partial):
                break
    assert not microphone.is_open
    assert asyncio.all_tasks() == before


async def test_a_cough_writes_nothing() -> None:
    generator = np.random.default_rng(1)
    cough = (generator.standard_normal(1600) * 0.2).astype(np.float32).tobytes()
    script = Script("you")
    events = await everything(Dictation(Played(silence(1) + cough, then=False), script, quiet_s=3.0))
    assert not [text for text in finals(events) if text]

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.chat.pacing import BEHIND, Pacing, paced

STORY = "Once upon a time, there was a keeper of a lighthouse. He liked the sea! It was wide and grey.\n\nOne day"


class Time:
    """A clock that jumps to the next sleeper as soon as everything else waits."""

    def __init__(self) -> None:
        self.now = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Event]] = []
        self._numbers = itertools.count()
        self._runner = asyncio.create_task(self._run())

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        event = asyncio.Event()
        heapq.heappush(self._sleepers, (self.now + seconds, next(self._numbers), event))
        await event.wait()

    async def _run(self) -> None:
        while True:
            for _ in range(12):
                await asyncio.sleep(0)
            if self._sleepers:
                self.now, _, event = heapq.heappop(self._sleepers)
                event.set()

    def stop(self) -> None:
        self._runner.cancel()


async def source(pieces: Sequence[tuple[float, str]], time: Time) -> AsyncGenerator[str, None]:
    for pause, text in pieces:
        if pause:
            await time.sleep(pause)
        yield text


async def given_out(pieces: Sequence[tuple[float, str]]) -> list[tuple[float, str]]:
    """What is given, and when."""
    time = Time()
    try:
        pacing = Pacing(source(pieces, time), clock=time.clock, sleep=time.sleep)
        return [(time.now, group) async for group in pacing]
    finally:
        time.stop()


async def test_groups_have_two_to_five_words_and_punctuation_makes_longer_pauses() -> None:
    groups = await given_out([(0.3, word + " ") for word in STORY.split(" ")])
    assert "".join(text for _, text in groups).strip() == STORY.strip()
    groups = await given_out([(0.0, STORY)])
    assert all(2 <= len(text.split()) <= 5 for _, text in groups[:3])
    pauses = {text: later - at for (at, text), (later, _) in itertools.pairwise(groups)}
    ended = [pause for text, pause in pauses.items() if text.rstrip().endswith((".", "!"))]
    plain = [pause / len(text.split()) for text, pause in pauses.items() if text.rstrip()[-1].isalpha()]
    assert min(ended) > max(plain)


@pytest.mark.parametrize("pieces", [[(0.0, "word " * 3000)], [(0.001, "word, and more. ")] * 1500, [(0.9, STORY)] * 8])
async def test_nothing_is_more_than_about_two_seconds_late(pieces: list[tuple[float, str]]) -> None:
    groups = await given_out(pieces)
    arrived, came = [], 0.0
    for pause, text in pieces:
        came += pause
        arrived += [came] * len(text)
    letter = 0
    for at, text in groups:
        assert at - arrived[letter] <= BEHIND + 0.2
        letter += len(text)
    assert letter == len(arrived)


async def test_hurrying_gives_the_rest_at_once() -> None:
    time = Time()
    pacing = Pacing(source([(0.0, STORY)], time), clock=time.clock, sleep=time.sleep)
    groups = []
    async for group in pacing:
        groups.append(group)
        pacing.hurry()
    assert "".join(groups) == STORY
    assert len(groups) <= 3
    assert time.now == 0.0
    time.stop()


async def test_an_error_comes_after_what_came_before_it() -> None:
    async def failing() -> AsyncGenerator[str, None]:
        yield "two words"
        raise ConnectionError("gone")

    seen = []
    with pytest.raises(ConnectionError):
        async for group in Pacing(failing()):
            seen.append(group)
    assert seen == ["two words"]


async def test_leaving_early_lets_go_of_the_source() -> None:
    closed = asyncio.Event()

    async def endless() -> AsyncGenerator[str, None]:
        try:
            while True:
                yield "on and on "
                await asyncio.sleep(0.001)
        finally:
            closed.set()

    async with aclosing(Pacing(endless()).__aiter__()) as groups:
        async for _ in groups:
            break
    async with asyncio.timeout(1):
        await closed.wait()


async def test_off_it_comes_as_it_comes() -> None:
    time = Time()
    pieces = [(0.0, "a b"), (0.0, "c d e f g h i j"), (0.0, "")]
    assert [text async for text in paced(source(pieces, time), on=False)] == ["a b", "c d e f g h i j", ""]
    time.stop()


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.sampled_from([0.0, 0.01, 0.3, 4.0]), st.text("ab ,.!\n\t é好", max_size=30)), max_size=12))
async def test_no_text_is_lost_or_reordered(pieces: list[tuple[float, str]]) -> None:
    groups = await given_out(pieces)
    assert "".join(text for _, text in groups) == "".join(text for _, text in pieces)

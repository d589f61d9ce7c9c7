"""Memory beside the interface, with the real model: it catches up, says how far it is, is asked, and ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.playground import Playground
from app.tui.memory_desk import MemoryDesk
from app.vault import WholeSession
from tests.memory.conftest import conversation

from .conftest import until

MANY = 80
"""More than one look finds at once, so that they are counted."""


def much() -> WholeSession:
    said = [f"Message number {number} tells of boat {number} in the harbour." for number in range(MANY)]
    said[7] = "The doctor said that I must not eat peanuts."
    return conversation("much", *said)


@pytest.fixture
async def playground(environ: dict[str, str], home_with_models: Path) -> AsyncIterator[Playground]:
    opened = Playground.open(environ, local_only=True)
    await opened.vault.open()
    yield opened
    await opened.aclose()


async def test_it_catches_up_says_how_far_it_is_and_can_be_asked(playground: Playground) -> None:
    await playground.vault.sessions.add(much())
    desk = MemoryDesk(playground, lambda: False)
    assert not desk.ready
    assert await desk.search("food that I cannot have", 5) == ()
    seen: set[tuple[int, int]] = set()

    def done() -> bool:
        if desk.remembering is not None:
            seen.add(desk.remembering)
        return desk.ready and bool(seen) and desk.remembering is None

    try:
        desk.begin()
        await until(done, 30)
        assert {of for _, of in seen} == {MANY}
        assert sorted(seen) == sorted(seen, key=lambda each: each[0])
        found = await desk.search("food that I cannot have", 5)
        assert found[0].source_id == "much-7"
        # A single message more is no news: nothing is counted, and nothing shown.
        await playground.vault.sessions.add(conversation("one", "My bicycle has a flat tyre again."))
        desk.wake()
        async with asyncio.timeout(30):
            while (await playground.memory.status()).remembered <= MANY:
                assert desk.remembering is None
                await asyncio.sleep(0.02)
    finally:
        await desk.end()
    assert not desk.ready
    assert desk.remembering is None
    assert await desk.search("food that I cannot have", 5) == ()


async def test_memory_that_is_switched_off_does_nothing(environ: dict[str, str], home_with_models: Path) -> None:
    playground = Playground.open({**environ, "PLAYGROUND_MEMORY__ENABLED": "false"}, local_only=True)
    await playground.vault.open()
    await playground.vault.sessions.add(much())
    desk = MemoryDesk(playground, lambda: False)
    desk.begin()
    assert not desk.ready
    assert await desk.search("peanuts", 5) == ()
    await desk.end()
    assert (await playground.memory.status()).remembered == 0
    await playground.aclose()

"""Thirty facts among five thousand other messages are found when they are asked about in other words."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.memory.memory import Memory
from app.vault import Vault

from .chatter import chatter
from .conftest import conversation
from .in_process import InProcess
from .planted import PLANTED, TUNED_ON

DAY = 86_400.0


@pytest.fixture
def swift(embedding_model: Path) -> Iterator[InProcess]:
    made = InProcess(embedding_model)
    yield made
    made.close()


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_planted_facts_are_found_in_other_words(vault: Vault, swift: InProcess) -> None:
    unrelated = list(chatter(5000))
    for number in range(100):
        talk = unrelated[number * 50 : number * 50 + 50]
        await vault.sessions.add(conversation(f"talk-{number}", *talk, at=1_750_000_000 + number * DAY))
    for number, (fact, _) in enumerate(PLANTED):
        at = 1_750_000_000 + number * 3 * DAY
        await vault.sessions.add(conversation(f"fact-{number}", fact, "Thanks, I will keep that in mind.", at=at))
    memory = Memory(vault, swift)
    remembering = memory.remembering()
    async with asyncio.timeout(300):
        await remembering.catch_up()
    ranks: dict[int, int | None] = {}
    for number, (_, question) in enumerate(PLANTED):
        found = [each.source_id for each in await memory.search(question, 10)]
        ranks[number] = found.index(f"fact-{number}-0") + 1 if f"fact-{number}-0" in found else None
    among_three = {number for number, rank in ranks.items() if rank is not None and rank <= 3}
    tuned = len(among_three & set(TUNED_ON))
    print(f"among the first three: {tuned} of 15 that were tuned on, {len(among_three) - tuned} of 15 kept aside")
    assert len(among_three) >= 27, ranks

"""Searching the Sessions pane by meaning: what memory finds joins what the words found, and never gets in the way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from app.errors import EngineError, PlaygroundError, VaultLockedError
from app.memory.embedding import PoolEmbedder
from app.memory.memory import Memory
from app.memory.recall import Recalled
from app.tui.sessions.hit_list import Heading, HitList
from app.tui.sessions.pane import SessionsPane
from app.tui.sessions.search_field import SearchField
from app.tui.sessions.shelf_bar import ShelfBar
from app.vault import Vault
from app.vault.conversations.records import SearchHit
from tests.memory.conftest import embedder

from .conftest import until
from .vault_app import DAY, NOW, SmallApp, a_vault, with_some

__all__ = ["embedder"]


def recalled(session: int, message: int, text: str, title: str = "", cosine: float = 0.6, **chosen: Any) -> Recalled:
    values: dict[str, Any] = {
        "source": "message",
        "source_id": f"{session:04}-{message}",
        "session_id": f"session-{session:04}",
        "title": title,
        "role": "user" if message % 2 == 0 else "assistant",
        "date": NOW - 3 * DAY,
        "text": text,
        "why": "meaning",
        "score": 1.0,
        "cosine": cosine,
    }
    return Recalled(**(values | chosen))


HEATING = recalled(5, 0, "Write a letter to my landlord about the heating.", "A letter to the landlord")
BREAD = recalled(8, 1, "Time does the work.", "Bread without kneading", 0.4)
UNFIT = recalled(9, 0, "What shall I read?", "Reading list", 0.1)
POST = recalled(9, 0, "A post", "A post", source="post", session_id="")


class Remembered:
    """A memory that says what a test wrote down."""

    def __init__(self, *passages: Recalled, error: PlaygroundError | None = None, seconds: float = 0.0) -> None:
        self.passages, self.error, self.seconds = passages, error, seconds
        self.asked: list[str] = []
        self.cancelled = 0
        self.ready = True
        self.remembering: tuple[int, int] | None = None

    async def search(self, words: str, limit: int) -> tuple[Recalled, ...]:
        self.asked.append(words)
        try:
            await asyncio.sleep(self.seconds)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.error is not None:
            raise self.error
        return self.passages[:limit]


@asynccontextmanager
async def searching(
    folder: Path, memory: Any, *, size: tuple[int, int] = (100, 30)
) -> AsyncIterator[tuple[SmallApp, Pilot[Any], HitList]]:
    app = SmallApp(a_vault(folder), lambda vault: SessionsPane(vault, lambda: NOW, memory), with_some)
    async with app.run_test(size=size) as pilot:
        await until(lambda: app.ready and app.pane.chosen_id is not None)
        await pilot.press("slash")
        yield app, pilot, app.pane.query_one(HitList)
    assert app.errors == []
    assert app.faults == []


def ids(hits: HitList) -> list[str]:
    return [found.node_id for found in hits.meant]


def painted(hits: HitList) -> str:
    return "\n".join(hits.render_line(y).text.rstrip() for y in range(hits.size.height))


async def test_what_was_meant_stands_below_what_holds_the_words(tmp_path: Path) -> None:
    memory = Remembered(HEATING, recalled(1, 0, "has the words too"), BREAD, UNFIT, POST)
    async with searching(tmp_path, memory) as (app, pilot, hits):
        await pilot.press(*"name")
        await until(lambda: hits.first_meant)
        assert memory.asked == ["name"], "asked once, after a pause"
        by_words = [found for found in hits.hits[: hits.first_meant - 1] if isinstance(found, SearchHit)]
        assert [hit.node_id for hit in by_words] == ["0001-1", "0001-0"]
        assert ids(hits) == ["0005-0", "0008-1"], "no message twice, none that does not fit, no post"
        assert hits.chosen == 0
        assert "≈ In other words" in painted(hits)
        assert "You: Write a letter to my landlord" in painted(hits)
        assert app.pane.query_one(ShelfBar).note == "2 messages · 2 in other words"


async def test_the_keys_pass_over_the_heading_and_reach_what_was_meant(tmp_path: Path) -> None:
    async with searching(tmp_path, Remembered(HEATING, BREAD)) as (app, pilot, hits):
        await pilot.press(*"name")
        await until(lambda: hits.first_meant)
        assert isinstance(hits.hits[2], Heading)
        seen = []
        for _ in range(4):
            await pilot.press("down")
            seen.append(hits.chosen)
        assert seen == [1, 3, 4, 4]
        await pilot.press("up", "up")
        assert hits.chosen == 1
        await pilot.press("ctrl+o")
        assert hits.chosen == 3
        await pilot.press("ctrl+o")
        assert hits.chosen == 0
        await pilot.press("tab", "o")
        assert hits.chosen == 3
        assert await pilot.click(hits, offset=(10, 5)), "the heading"
        assert hits.chosen in (1, 3)
        await pilot.press("end", "enter")
        await until(lambda: app.wanted)
        assert app.wanted == [("session-0008", "0008-1")]


async def test_words_that_nobody_said_are_found_by_their_meaning(tmp_path: Path) -> None:
    async with searching(tmp_path, Remembered(HEATING, seconds=0.05)) as (app, pilot, hits):
        await pilot.press(*"radiator", "enter")
        await until(lambda: app.wanted)
        assert app.wanted == [("session-0005", "0005-0")], "Enter waits for what is meant when no words are found"
        assert hits.chosen == 1
        assert "No message holds these words." in painted(hits)
        await pilot.press("up")
        assert hits.chosen == 1


async def test_what_only_comes_nearest_is_shown_where_nothing_else_is_found_and_says_so(tmp_path: Path) -> None:
    near = [recalled(number, 0, "near", cosine=0.25) for number in (5, 6, 7, 8)]
    async with searching(tmp_path, Remembered(*near, UNFIT)) as (app, pilot, hits):
        await pilot.press(*"radiator")
        await until(lambda: hits.first_meant)
        assert ids(hits) == ["0005-0", "0006-0", "0007-0"]
        assert "Perhaps one of these" in painted(hits)
        assert app.pane.query_one(ShelfBar).note == ""
        await pilot.press("escape", "slash", *"name")
        await until(lambda: hits.count == 2)
        await pilot.pause(0.5)
        assert not hits.first_meant, "beside messages with the words it would only be noise"


async def test_a_choice_that_was_made_meanwhile_stays(tmp_path: Path) -> None:
    memory = Remembered(HEATING, seconds=0.2)
    async with searching(tmp_path, memory) as (app, pilot, hits):
        await pilot.press(*"name")
        await until(lambda: hits.count)
        await pilot.press("down")
        await until(lambda: hits.first_meant)
        assert hits.chosen == 1
        await pilot.press("down")
        assert hits.chosen == 3
        app.pane.session_changed()
        await until(lambda: len(memory.asked) == 2)
        await pilot.pause(0.3)
        assert hits.chosen == 3, "also when the search is made again because something was said"


async def test_the_next_key_ends_the_question_to_memory(tmp_path: Path) -> None:
    memory = Remembered(HEATING, seconds=60)
    async with searching(tmp_path, memory) as (app, pilot, hits):
        await pilot.press(*"nam")
        await until(lambda: memory.asked == ["nam"])
        await pilot.press("e")
        await until(lambda: memory.cancelled == 1)
        assert app.pane.query_one(SearchField).value == "name"
        await until(lambda: memory.asked == ["nam", "name"])
        assert not hits.first_meant
        assert hits.count == 2, "the words are there all the while"
        await pilot.press("escape")
        await until(lambda: memory.cancelled == 2)
        assert not app.pane.has_class("-searching")


@pytest.mark.parametrize(
    ("memory", "note"),
    [
        (None, "2 messages"),
        (Remembered(), "2 messages"),
        (Remembered(error=EngineError("The model is gone.")), "2 messages · by words alone"),
        (Remembered(error=VaultLockedError("Locked.")), "2 messages"),
    ],
    ids=["no memory", "nothing fits", "a model that fails", "locked meanwhile"],
)
async def test_without_memory_the_words_are_found_alone(tmp_path: Path, memory: Remembered | None, note: str) -> None:
    async with searching(tmp_path, memory) as (app, pilot, hits):
        await pilot.press(*"name")
        await until(lambda: hits.count == 2 and (memory is None or memory.asked))
        await pilot.pause(0.05)
        assert not hits.first_meant
        assert app.pane.query_one(ShelfBar).note == note
        assert app.said == []


async def test_memory_that_is_off_is_not_asked(tmp_path: Path) -> None:
    memory = Remembered(HEATING)
    memory.ready = False
    async with searching(tmp_path, memory) as (_, pilot, hits):
        await pilot.press(*"zebra")
        await pilot.pause(0.4)
        assert memory.asked == []
        assert hits.count == 0


async def test_nothing_of_it_stays_when_the_vault_is_locked(tmp_path: Path) -> None:
    async with searching(tmp_path, Remembered(HEATING)) as (app, pilot, hits):
        await pilot.press(*"name")
        await until(lambda: hits.first_meant)
        await app.vault.lock()
        await app.pane.vault_closing()
        assert hits.hits == ()
        assert hits.meant == ()


async def test_what_is_being_remembered_is_told_quietly_until_it_is_done(tmp_path: Path) -> None:
    memory = Remembered()
    async with searching(tmp_path, memory) as (app, pilot, _):
        bar = app.pane.query_one(ShelfBar)
        memory.remembering = (1200, 5000)
        await until(lambda: bar.aside)
        await pilot.press("escape")
        await pilot.pause()
        assert bar.render_line(0).text.rstrip().endswith("remembering 1,200 of 5,000")
        memory.remembering = None
        await until(lambda: not bar.aside)
        await pilot.pause()
        assert "remembering" not in bar.render_line(0).text


async def test_the_real_model_finds_a_conversation_in_other_words(tmp_path: Path, embedder: PoolEmbedder) -> None:
    vault = a_vault(tmp_path)
    memory = Memory(vault, embedder)

    class Asked:
        ready = True
        remembering = None

        async def search(self, words: str, limit: int) -> tuple[Recalled, ...]:
            return await memory.search(words, limit)

    async def remembered(vault: Vault) -> None:
        await with_some(vault)
        await memory.remembering().catch_up()

    app = SmallApp(vault, lambda vault: SessionsPane(vault, lambda: NOW, Asked()), remembered)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(lambda: app.ready and app.pane.chosen_id is not None, 20)
        await pilot.press("slash")
        app.pane.query_one(Input).value = "my flat is freezing"
        hits = app.pane.query_one(HitList)
        await until(lambda: hits.first_meant, 10)
        assert ids(hits)[0].startswith("0005"), "the letter to the landlord about the heating"
    memory.close()
    assert app.errors == app.faults == []

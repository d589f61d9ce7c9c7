"""The parts of the Sessions pane, each without an application around it."""

from __future__ import annotations

import asyncio
from typing import Any

from app.errors import PlaygroundError
from app.memory.recall import Recalled
from app.tui.sessions.deeds import Deeds
from app.tui.sessions.keys import KEYS, is_offered
from app.tui.sessions.other_words import OtherWords
from app.tui.sessions.pages import PAGE, Pages
from app.tui.sessions.preview_reader import PreviewReader
from app.tui.sessions.shelf_reader import ShelfReader
from app.vault import Session, SessionLine

from .around import Around


class Kept:
    """Sessions of a vault: titles by id, on two shelves."""

    def __init__(self, *ids: str) -> None:
        self.here, self.binned = dict.fromkeys(ids, "A title"), dict[str, str]()
        self.reads: list[tuple[int, int]] = []
        self.loaded: list[str] = []

    async def get(self, session_id: str) -> Session:
        return Session(id=session_id, title=(self.here | self.binned)[session_id])

    async def delete(self, session_id: str) -> None:
        self.binned[session_id] = self.here.pop(session_id)

    async def restore(self, session_id: str) -> None:
        self.here[session_id] = self.binned.pop(session_id)

    async def purge(self, session_id: str) -> None:
        del self.binned[session_id]

    async def count(self, shelf: str = "current", tag: str | None = None) -> int:
        return len(self.here) if shelf == "current" else len(self.binned)

    async def lines(self, offset: int, limit: int, **_: Any) -> tuple[SessionLine, ...]:
        self.reads.append((offset, limit))
        ids = list(self.here)[offset : offset + limit]
        return tuple(SessionLine(id=one, title=one, updated_at=0) for one in ids)

    async def load(self, session_id: str) -> str:
        self.loaded.append(session_id)
        return f"all of {session_id}"


class AVault:
    def __init__(self, *ids: str) -> None:
        self.state = "open"
        self.sessions: Any = Kept(*ids)


async def test_what_was_put_away_comes_back_in_turn_but_not_what_is_gone_for_good() -> None:
    kept, around, changed = Kept("a", "b", "c"), Around(), list[str]()
    deeds = Deeds(kept, around, changed.append)  # type: ignore[arg-type]
    for session_id in ("a", "b", "c"):
        await deeds.delete(session_id)
    assert around.said[-1] == "Deleted. <sessions.undo> brings it back."

    await deeds.purge("c")
    _, answered = around.asked.pop()
    answered(False)
    assert not around.doing
    answered(True)
    await around.done()
    deeds.undo()
    await around.done()
    assert list(kept.here) == ["b"]
    assert changed == ["a", "b", "c", "c", "b"]

    deeds.forget()
    assert not deeds.can_undo
    deeds.undo()
    assert list(kept.here) == ["b"]


class Lines:
    """A list of twenty lines in view."""

    def __init__(self) -> None:
        self.chosen, self.top, self.count = 0, 0, 0

    @property
    def first_in_view(self) -> int:
        return self.top

    @property
    def last_in_view(self) -> int:
        return self.top + 19

    def show(self, count: int, chosen: int | None = None) -> None:
        self.count, self.chosen = count, self.chosen if chosen is None else chosen

    def refresh(self) -> None: ...

    def forget(self) -> None:
        self.show(0, 0)


async def test_the_list_reads_what_is_in_view_and_keeps_the_choice_with_its_conversation() -> None:
    vault, pages, lines = AVault(*(f"s{number}" for number in range(1000))), Pages(), Lines()
    reader = ShelfReader(vault, pages, lines, counted=lambda _: None, shown=lambda: None)  # type: ignore[arg-type]
    assert await reader.catch_up()
    assert (lines.count, reader.known) == (1000, True)
    assert vault.sessions.reads == [(0, PAGE)]

    lines.chosen, lines.top = 505, 500
    reader.scrolled()
    await asyncio.wait_for(reader.woken(), 1)
    await reader.catch_up()
    assert {offset for offset, _ in vault.sessions.reads} == {0, 400, 500}

    await vault.sessions.delete("s504")
    reader.reload()
    await reader.catch_up()
    assert (lines.count, lines.chosen) == (999, 504)
    line = pages.line(lines.chosen)
    assert line is not None and line.id == "s505"

    reader.forget()
    vault.state = "locked"
    assert not await reader.catch_up()
    assert not reader.holds_something


class Shown:
    def __init__(self) -> None:
        self.shown: Any = None

    def show_session(self, whole: Any, node_id: str | None) -> None:
        self.shown = whole, node_id

    def forget(self) -> None:
        self.shown = None


async def test_the_preview_reads_only_what_the_choice_rests_on_and_nothing_without_room() -> None:
    vault, shown = AVault(), Shown()
    reader = PreviewReader(vault, shown)  # type: ignore[arg-type]
    reader.look(("a", None))
    assert not reader.holds_something

    reader.room = True
    resting = asyncio.create_task(reader.rested())
    for passed in ("a", "b", "c"):
        reader.look((passed, None))
        await asyncio.sleep(0.01)
    await asyncio.wait_for(resting, 2)
    await reader.show()
    assert vault.sessions.loaded == ["c"]
    assert shown.shown == ("all of c", None)

    reader.look(("d", "d-1"))
    vault.state = "locked"
    await reader.show()
    assert shown.shown == ("all of c", None), "read too late to be shown"
    reader.forget()
    assert shown.shown is None and not reader.holds_something


def recalled(node_id: str, cosine: float) -> Recalled:
    about = {"session_id": "s", "title": "T", "role": "user", "text": "Words.", "why": "meaning"}
    return Recalled(source="message", source_id=node_id, date=0.0, score=1.0, cosine=cosine, **about)  # type: ignore[arg-type]


class Memory:
    ready = True
    remembering = (1200, 5000)

    def __init__(self, *recalled: Recalled) -> None:
        self.recalled = recalled
        self.fails = False

    async def search(self, words: str, limit: int) -> tuple[Recalled, ...]:
        if self.fails:
            raise PlaygroundError("It is busy.")
        return self.recalled


async def test_memory_adds_what_fits_and_the_nearest_only_where_nothing_else_is() -> None:
    memory = Memory(recalled("fits", 0.8), recalled("near", 0.25), recalled("far", 0.1))
    other_words = OtherWords(memory)
    assert other_words.progress == "remembering 1,200 of 5,000"
    assert other_words.can_find("sea") and not other_words.can_find("se") and not OtherWords(None).can_find("sea")

    meaning = await other_words.find("sea", (), alone=False)
    assert meaning is not None and not meaning.unsure
    assert [hit.node_id for hit in meaning.hits] == ["fits"]

    # What is shown already is not shown again.
    again = await other_words.find("sea", meaning.hits, alone=True)
    assert again is not None and again.unsure
    assert [hit.node_id for hit in again.hits] == ["near"]

    memory.fails = True
    assert await other_words.find("sea", (), alone=True) is None


def test_only_keys_that_would_do_something_are_offered() -> None:
    actions = [binding.action for binding in KEYS]  # type: ignore[union-attr]

    def offered(**standing: bool) -> set[str]:
        usual = {"vault_open": True, "chosen": True, "in_bin": False, "can_undo": False}
        usual |= {"typing": False, "words": False, "other_words": False}
        return {action for action in actions if is_offered(action, **{**usual, **standing})}

    assert offered(vault_open=False) == {"new", "shelf(1)", "shelf(-1)"}
    assert {"restore", "purge"} & offered() == set()
    assert {"open", "delete", "pin"} & offered(in_bin=True) == set()
    assert {"restore", "purge", "export"} <= offered(in_bin=True)
    assert {"open", "delete", "export"} & offered(chosen=False) == set()
    assert {"undo", "leave_search", "turn"} <= offered(can_undo=True, words=True, other_words=True)

"""The open conversation: archived, deleted, and brought back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from app.messages import Started, TextDelta
from app.tui.app import PlaygroundApp
from app.tui.chat.composer import Composer
from app.tui.chat.pane import ChatPane
from app.vault.conversations.sessions import Shelf

from .conftest import until
from .scripted import ScriptedRouter, answer
from .test_kept_chat import ask, attached

Make = Callable[..., PlaygroundApp]


def said(app: PlaygroundApp) -> str:
    return " ".join(note.message for note in app._notifications)


@pytest.mark.parametrize(("command", "shelf"), [("/archive", "archived"), ("/delete", "bin")])
async def test_it_is_put_away_whole_and_brought_back(make_app: Make, command: str, shelf: Shelf) -> None:
    app = make_app(ScriptedRouter(answer("Red."), answer("Blue.")))
    async with app.run_test() as pilot:
        pane = await ask(pilot, "Name a colour.")
        sessions = app._playground.vault.sessions
        app.query_one(Composer).put(f"{command} ")
        await pilot.press("enter")
        await until(lambda: not len(pane.conversation))
        assert "/undo brings it back" in said(app)
        assert await sessions.count("current") == 0
        assert [line.title for line in await sessions.lines(shelf=shelf)] == ["Name a colour."]
        await ask(pilot, "Another?")
        assert await sessions.count("current") == 1
        app.query_one(Composer).put("/undo ")
        await pilot.press("enter")
        await until(lambda: [n.message.text for n in pane.conversation.path()] == ["Name a colour.", "Red."])
        assert await sessions.count("current") == 2
        await pane.action_bring_back()
        await until(lambda: "Nothing was archived" in said(app))


async def test_an_archived_one_comes_back_by_the_same_command(make_app: Make) -> None:
    app = make_app(ScriptedRouter(answer("Red.")))
    async with app.run_test() as pilot:
        pane = await ask(pilot, "Name a colour.")
        sessions = app._playground.vault.sessions
        assert pane.keeper is not None
        session_id = pane.keeper.session.id
        await pane.action_archive()
        await pane.open_session(session_id)
        await pane.action_archive()
        assert await sessions.count("current") == 1
        assert len(pane.conversation) == 2


async def test_nothing_is_put_away_while_there_is_nothing_or_an_answer_comes(make_app: Make) -> None:
    gate = asyncio.Event()
    start = Started("smollm2-135m", "local", prompt_tokens=31, context=8192)
    app = make_app(ScriptedRouter([start, TextDelta("Once"), gate]))
    async with app.run_test() as pilot:
        pane: ChatPane = await attached(pilot)
        await pane.action_delete_chat()
        await until(lambda: "nothing here yet" in said(app))
        app.query_one(Composer).put("A story.")
        await pilot.press("enter")
        await until(lambda: pane.answering and len(pane.conversation) == 2)
        await pane.action_delete_chat()
        await until(lambda: "still coming" in said(app))
        assert len(pane.conversation) == 2
        await pane.action_stop()
        await until(lambda: not pane.answering)

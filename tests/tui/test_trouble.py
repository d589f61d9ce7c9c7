"""What cannot be done just now is said, and is not the end of the program."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from app.errors import DiskFullError
from app.messages import Started
from app.tui.app import PlaygroundApp
from app.tui.chat.composer import Composer
from app.tui.chat.pane import ChatPane

from .conftest import until
from .scripted import ScriptedRouter, answer
from .test_chat_pane import ask, settled

Make = Callable[..., PlaygroundApp]
START = Started("smollm2-135m", "local", prompt_tokens=31, context=8192)


async def full() -> None:
    raise DiskFullError("The disk is full.", "Make room.")


async def test_a_key_whose_work_needs_a_full_disk(make_app: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    app = make_app(ScriptedRouter([START, asyncio.Event()], answer("one")))
    async with app.run_test() as pilot:
        pane = await ask(pilot, "q")
        await until(lambda: pane.answering and len(pane.conversation) == 2)
        assert pane.keeper is not None
        with monkeypatch.context() as patched:
            patched.setattr(pane.keeper, "discard", full)
            await pilot.press("escape")
            await until(lambda: any("disk is full" in note.message for note in app._notifications))
        app.query_one(Composer).put("again")
        await pilot.press("enter")
        await settled(pane, pilot)
        assert pane.conversation.path()[-1].message.text == "one"


async def test_a_command_whose_work_needs_a_full_disk(make_app: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    app = make_app(ScriptedRouter(answer("one")))
    async with app.run_test() as pilot:
        pane = app.query_one(ChatPane)
        await until(lambda: pane.keeper is not None)
        monkeypatch.setattr(pane, "action_roll_back", lambda turns: full())
        app.query_one(Composer).put("/back 1")
        await pilot.press("enter")
        await until(lambda: any("disk is full" in note.message for note in app._notifications))
        await ask(pilot, "q")
        await settled(pane, pilot)
        assert pane.conversation.path()[-1].message.text == "one"

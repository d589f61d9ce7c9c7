"""Ctrl+C where it is pressed by reflex: over the composer, which has a use of its own for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from app.messages import Started, TextDelta
from app.tui.app import PlaygroundApp
from app.tui.chat.composer import Composer
from app.tui.chat.pane import ChatPane
from app.tui.unlock.screen import UnlockScreen

from .conftest import until
from .scripted import ScriptedRouter
from .test_chat_pane import ask

Make = Callable[..., PlaygroundApp]
START = Started("smollm2-135m", "local", prompt_tokens=31, context=8192)


async def test_it_stops_the_answer(make_app: Make) -> None:
    app = make_app(ScriptedRouter([START, TextDelta("Once"), asyncio.Event()]))
    async with app.run_test() as pilot:
        pane = await ask(pilot, "A story.")
        await until(lambda: pane.answering and len(pane.conversation) == 2)
        await until(lambda: pane.conversation.path()[-1].message.text == "Once")
        await pilot.press("ctrl+c")
        await until(lambda: not pane.answering)
        assert pane.conversation.path()[-1].status == "cut"
        assert app.is_running


async def test_twice_it_leaves(make_app: Make) -> None:
    app = make_app()
    async with app.run_test() as pilot:
        assert isinstance(app.focused, Composer)
        await pilot.press("ctrl+c")
        await pilot.pause()
        assert app._exit is False
        await pilot.press("ctrl+c")
        await until(lambda: app._exit)


async def test_over_marked_text_it_copies(make_app: Make) -> None:
    app = make_app()
    async with app.run_test() as pilot:
        app.query_one(Composer).put("take this")
        await pilot.press("home", "shift+end", "ctrl+c")
        assert app.clipboard == "take this"
        assert not app._asked_to_quit


async def test_twice_it_leaves_a_locked_vault_alone(make_app: Make) -> None:
    app = make_app()
    async with app.run_test() as pilot:
        pane = app.query_one(ChatPane)
        await until(lambda: pane.keeper is not None)
        await app._playground.vault.set_passphrase("four unusual words here")
        app.action_lock()
        await until(lambda: isinstance(app.screen, UnlockScreen))
        await pilot.pause()
        await pilot.press("s", "e", "ctrl+c")
        assert not app._exit
        await pilot.press("ctrl+c")
        await until(lambda: app._exit)
        assert app.clipboard == ""

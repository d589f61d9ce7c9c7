"""Ctrl+C where it is pressed by reflex: copies what is marked, leaves what is open, and twice leaves the program."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from textual.widgets import Input, Static

from app.messages import Started, TextDelta
from app.tui.app import PlaygroundApp
from app.tui.blog.editor import PostEditor
from app.tui.blog.find_bar import FindBar
from app.tui.chat.composer import Composer
from app.tui.chat.pane import ChatPane
from app.tui.dialogs.model_picker import ModelPicker
from app.tui.server.key_dialog import KeyDialog
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
        assert not app._interruption.asked


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
        assert app.screen.query_one(Input).value == ""
        await pilot.press("ctrl+c")
        await until(lambda: app._exit)
        assert app.clipboard == ""


@pytest.mark.parametrize("key", ["f1", "f2", "alt+l", "ctrl+p"])
async def test_it_leaves_a_dialog_and_nothing_else(make_app: Make, key: str) -> None:
    app = make_app(local_only=True)
    async with app.run_test() as pilot:
        await pilot.press(key)
        await until(lambda: len(app.screen_stack) == 2)
        await pilot.pause()
        await pilot.press("ctrl+c")
        await until(lambda: len(app.screen_stack) == 1)
        assert not app._interruption.asked
        assert app._privacy.local_only


async def test_in_a_field_of_a_dialog_it_copies_what_is_marked_and_then_leaves(make_app: Make) -> None:
    app = make_app()
    async with app.run_test() as pilot:
        await pilot.press("f2")
        await until(lambda: isinstance(app.screen, ModelPicker))
        await pilot.press("a", "b", "shift+home", "ctrl+c")
        assert app.clipboard == "ab"
        assert isinstance(app.screen, ModelPicker)
        await pilot.press("end", "ctrl+c")
        await until(lambda: len(app.screen_stack) == 1)


@pytest.mark.parametrize(("pane", "search"), [("f6", "slash"), ("f7", "slash"), ("f12", "slash")])
async def test_it_empties_a_search_first(make_app: Make, pane: str, search: str) -> None:
    app = make_app()
    async with app.run_test(size=(100, 30)) as pilot:
        await until(lambda: app.query_one(ChatPane).keeper is not None)
        await pilot.press(pane)
        await pilot.pause()
        await pilot.press(search)
        await until(lambda: isinstance(app.focused, Input))
        field = app.focused
        assert isinstance(field, Input)
        await pilot.press("x", "y")
        assert field.value == "xy"
        await pilot.press("ctrl+c")
        await until(lambda: field.value == "" and not field.has_focus)
        await pilot.pause()
        assert not app._interruption.asked
        await pilot.press("ctrl+c")
        assert app._interruption.asked
        await pilot.press("ctrl+c")
        await until(lambda: app._exit)


async def test_in_a_post_it_copies_closes_the_search_and_then_leaves(make_app: Make) -> None:
    app = make_app()
    async with app.run_test(size=(100, 30)) as pilot:
        await until(lambda: app.query_one(ChatPane).keeper is not None)
        await pilot.press("f6")
        await pilot.pause()
        await pilot.press("n")
        await until(lambda: app.query("TitleField") and app.focused is app.query_one("TitleField"))
        await pilot.press("enter", "a", "b")
        editor = app.query_one(PostEditor)
        await until(lambda: editor.text == "ab")
        await pilot.press("shift+home", "ctrl+c")
        assert app.clipboard == "ab"
        await pilot.press("end", "ctrl+f", "ctrl+c")
        await until(lambda: editor.has_focus and not app.query_one(FindBar).display)
        assert not app._interruption.asked
        await pilot.press("ctrl+c")
        assert app._interruption.asked
        assert editor.has_focus


async def test_a_key_that_is_shown_once_does_not_go_by_one_stray_key(make_app: Make) -> None:
    app = make_app()
    async with app.run_test() as pilot:
        app.push_screen(KeyDialog("editor", "pg_secret"))
        await until(lambda: isinstance(app.screen, KeyDialog))
        await pilot.pause()
        await pilot.press("ctrl+c")
        await pilot.pause()
        assert "not shown again" in str(app.screen.query_one("#key-note", Static).render())
        await pilot.press("ctrl+c")
        await until(lambda: len(app.screen_stack) == 1)

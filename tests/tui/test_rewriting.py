"""Taking an earlier prompt back to write another version of it, and changing one's mind."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from textual.widgets import Markdown

from app.messages import Started, TextDelta
from app.tui.app import PlaygroundApp
from app.tui.bars.status import StatusBar
from app.tui.chat.composer import Composer
from app.tui.chat.pane import ChatPane

from .conftest import until
from .scripted import ScriptedRouter, answer
from .test_chat_pane import ask, settled

Make = Callable[..., PlaygroundApp]
START = Started("smollm2-135m", "local", prompt_tokens=31, context=8192)


def texts(pane: ChatPane) -> list[str]:
    return [node.message.text for node in pane.conversation.path()]


async def test_the_conversation_stays_on_the_screen_while_a_prompt_is_rewritten(make_app: Make) -> None:
    app = make_app(ScriptedRouter(answer("one"), answer("two")))
    async with app.run_test() as pilot:
        pane = await ask(pilot, "q")
        await settled(pane, pilot)
        await pilot.press("alt+e")
        composer = app.query_one(Composer)
        assert composer.text == "q"
        assert "esc leaves it" in str(composer.border_title)
        assert texts(pane) == ["q", "one"]
        assert [markdown.source for markdown in app.query(Markdown)] == ["one"]
        assert not app.query_one("#stage").display
        await pilot.press("2", "enter")
        await settled(pane, pilot)
        assert texts(pane) == ["q2", "two"]
        assert not composer.border_title


async def test_escape_leaves_an_earlier_prompt_as_it_was_and_brings_the_draft_back(make_app: Make) -> None:
    app = make_app(ScriptedRouter(answer("one"), answer("two")))
    async with app.run_test() as pilot:
        pane = await ask(pilot, "q")
        await settled(pane, pilot)
        composer = app.query_one(Composer)
        composer.put("half a thought")
        await pilot.press("alt+e", "x", "escape")
        await until(lambda: composer.text == "half a thought")
        assert pane.parts.rewriting.rewritten is None
        assert not composer.border_title
        await pilot.press("enter")
        await settled(pane, pilot)
        assert texts(pane) == ["q", "one", "half a thought", "two"]


async def test_a_rewritten_prompt_that_is_stopped_at_once_can_be_rewritten_on(make_app: Make) -> None:
    app = make_app(ScriptedRouter(answer("one"), [START, asyncio.Event()], answer("three")))
    async with app.run_test() as pilot:
        pane = await ask(pilot, "q")
        await settled(pane, pilot)
        await pilot.press("alt+e", "2", "enter")
        await until(lambda: pane.answering and len(pane.conversation) == 4)
        await pilot.press("escape")
        await until(lambda: app.query_one(Composer).text == "q2")
        await until(lambda: texts(pane) == ["q", "one"])
        await pilot.press("3", "enter")
        await settled(pane, pilot)
        assert texts(pane) == ["q23", "three"]
        assert len(pane.conversation.siblings(pane.conversation.path()[0].id)) == 2


async def test_a_new_conversation_rewrites_nothing_of_the_last(make_app: Make) -> None:
    app = make_app(ScriptedRouter(answer("one"), answer("two")))
    async with app.run_test() as pilot:
        pane = await ask(pilot, "q")
        await settled(pane, pilot)
        await pilot.press("alt+e", "ctrl+n")
        await until(lambda: not len(pane.conversation))
        assert pane.parts.rewriting.rewritten is None
        assert not app.query_one(Composer).border_title


async def test_the_status_line_tells_how_full_the_shown_version_is(make_app: Make) -> None:
    app = make_app(ScriptedRouter(answer("one", tokens=9), answer("two", tokens=2)))
    async with app.run_test() as pilot:
        pane = await ask(pilot, "q")
        await settled(pane, pilot)
        await pilot.press("ctrl+r")
        await settled(pane, pilot)
        assert app.query_one(StatusBar).status.used == 33
        await pilot.press("alt+left")
        await until(lambda: app.query_one(StatusBar).status.used == 40)


async def test_what_was_rolled_back_can_be_brought_back(make_app: Make) -> None:
    app = make_app(ScriptedRouter(answer("one"), answer("two")))
    async with app.run_test() as pilot:
        for question in ("q", "r"):
            pane = await ask(pilot, question)
            await settled(pane, pilot)
        whole = ["q", "one", "r", "two"]
        for turns in (1, 2):
            app.query_one(Composer).put(f"/back {turns}")
            await pilot.press("enter")
            await until(lambda: texts(pane) != whole)
            assert texts(pane) == whole[: 4 - 2 * turns]
            assert any("brings them back" in note.message for note in app._notifications)
            await pilot.press("alt+right")
            await until(lambda: texts(pane) == whole)
            assert not app.query_one("#stage").display


async def test_an_answer_that_is_gone_on_with_and_stopped_at_once_keeps_what_it_had(make_app: Make) -> None:
    waits = asyncio.Event()
    app = make_app(ScriptedRouter([START, TextDelta("Once upon"), waits], [START, waits]))
    async with app.run_test() as pilot:
        pane = await ask(pilot, "A story.")
        await until(lambda: texts(pane)[1:] == ["Once upon"])
        await pilot.press("escape")
        await until(lambda: not pane.answering)
        await pilot.press("alt+c")
        await until(lambda: pane.answering)
        await pilot.pause()
        await pilot.press("escape")
        await until(lambda: not pane.answering)
        await pilot.pause()
        assert texts(pane) == ["A story.", "Once upon"]
        assert pane.conversation.path()[-1].status == "cut"
        assert app.query_one(Composer).text == ""

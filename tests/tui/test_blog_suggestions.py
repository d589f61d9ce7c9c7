"""Faint words at the cursor: after a pause, taken by Tab, gone with any other key, never in the way."""

from __future__ import annotations

import asyncio
from pathlib import Path

from app.errors import WorkerDiedError
from app.settings.writing import WritingSettings
from app.tui.blog.state_line import StateLine

from .blog_app import blog_app, blogging, empty
from .conftest import until
from .scripted import ScriptedRouter, answer

ON = WritingSettings(suggestions=True)


async def begun(app, pilot, *keys: str):
    await pilot.press("n")
    await until(lambda: app.blog.writing)
    await pilot.press("enter", *keys)
    return app.blog.desk.editor


async def test_tab_takes_them(tmp_path: Path):
    router = ScriptedRouter(answer(" was very", " calm. And then"))
    app = blog_app(tmp_path, empty, router=router, choices=ON)
    async with blogging(app) as pilot:
        editor = await begun(app, pilot, *"The sea")
        await until(lambda: editor.suggestion == " was very calm.")
        assert editor.text == "The sea"
        assert router.requests[0].prompt == "The sea"
        await pilot.press("tab")
        assert editor.text == "The sea was very calm."
        assert editor.suggestion == ""
        assert editor.cursor_location == (0, len(editor.text))


async def test_typing_what_they_say_keeps_them_and_anything_else_lets_them_go(tmp_path: Path):
    app = blog_app(tmp_path, empty, router=ScriptedRouter(answer(" was calm.")), choices=ON)
    async with blogging(app) as pilot:
        editor = await begun(app, pilot, *"The sea")
        await until(lambda: editor.suggestion == " was calm.")
        await pilot.press("space", "w")
        assert editor.suggestion == "as calm."
        await pilot.press("x")
        assert editor.suggestion == ""
        assert editor.text == "The sea wx"
        await until(lambda: editor.suggestion)
        await pilot.press("right")
        assert (editor.suggestion, editor.text) == ("", "The sea wx")


async def test_escape_lets_them_go_and_nothing_more(tmp_path: Path):
    app = blog_app(tmp_path, empty, router=ScriptedRouter(answer(" was calm.")), choices=ON)
    async with blogging(app) as pilot:
        editor = await begun(app, pilot, *"The sea")
        await until(lambda: editor.suggestion)
        await pilot.press("escape")
        assert editor.suggestion == ""
        assert app.blog.writing
        await pilot.press("escape")
        await until(lambda: not app.blog.writing)


async def test_the_next_key_stops_the_model(tmp_path: Path):
    router = ScriptedRouter([*answer("x")[:1], asyncio.Event()])
    app = blog_app(tmp_path, empty, router=router, choices=ON)
    async with blogging(app) as pilot:
        editor = await begun(app, pilot, *"The sea")
        await until(lambda: router.requests)
        assert router.closed == 0
        await pilot.press("x")
        await until(lambda: router.closed == 1)
        assert editor.text == "The seax"


async def test_without_room_they_end_at_a_word_and_the_rest_follows(tmp_path: Path):
    router = ScriptedRouter(answer(" was calm and the wind was gone"))
    app = blog_app(tmp_path, empty, router=router, choices=ON)
    async with blogging(app, (40, 24)) as pilot:
        editor = await begun(app, pilot, *"Nobody was here at all & it")
        await until(lambda: editor.suggestion)
        assert editor.suggestion == " was"
        await pilot.press("tab")
        assert editor.text.endswith("& it was")
        await until(lambda: editor.suggestion or len(router.requests) > 1)


async def test_switched_off_nothing_is_asked(tmp_path: Path):
    router = ScriptedRouter(answer(" was calm."))
    app = blog_app(tmp_path, empty, router=router, choices=WritingSettings(suggestions=False))
    async with blogging(app) as pilot:
        editor = await begun(app, pilot, *"The sea")
        await pilot.pause(0.6)
        await pilot.press("tab")
        assert router.requests == []
        assert editor.text == "The sea "


async def test_a_model_that_is_elsewhere_is_never_sent_what_is_typed(tmp_path: Path):
    from app.routing.listing import ModelLine

    router = ScriptedRouter(answer(" was calm."), lines=(ModelLine(name="gpt-far", backend="far", remote=True),))
    app = blog_app(tmp_path, empty, router=router, choices=WritingSettings(model="gpt-far"))
    async with blogging(app) as pilot:
        await begun(app, pilot, *"The sea")
        await until(lambda: router.requests)
        assert {request.model for request in router.requests} == {"smollm2-135m"}


async def test_a_model_that_fails_is_said_once_and_typing_goes_on(tmp_path: Path):
    router = ScriptedRouter([WorkerDiedError("The engine ended.")])
    app = blog_app(tmp_path, empty, router=router, choices=ON)
    async with blogging(app) as pilot:
        editor = await begun(app, pilot, *"The sea")
        await until(lambda: "The engine ended" in app.query_one(StateLine).state.note)
        await pilot.press(*" is")
        await pilot.pause(0.6)
        assert editor.text == "The sea is"
        assert len(router.requests) == 1
        assert app.errors == []

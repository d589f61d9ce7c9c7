from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from textual import events

from app.tui.app import PlaygroundApp
from app.tui.chat.composer import Composer
from app.tui.chat.pane import ChatPane
from app.tui.key_names import is_key

from .conftest import until
from .scripted import ScriptedRouter, answer

Make = Callable[..., PlaygroundApp]


async def test_a_megabyte_is_pasted_at_once_and_sent_whole(make_app: Make) -> None:
    router = ScriptedRouter(answer("ok"))
    app = make_app(router)
    text = "\n".join(f"line {number} of a long paste" for number in range(40_000))
    async with app.run_test() as pilot:
        composer = app.query_one(Composer)
        began = time.perf_counter()
        composer.post_message(events.Paste(text))
        await pilot.pause()
        await pilot.press("space", "h", "i")
        assert time.perf_counter() - began < 2.0
        assert len(composer.text) < 100
        await pilot.press("enter")
        await until(lambda: router.requests)
        assert router.requests[0].messages[-1].text == f"{text} hi"


async def test_a_mark_of_pasted_text_is_deleted_as_one_thing(make_app: Make) -> None:
    app = make_app()
    async with app.run_test() as pilot:
        composer = app.query_one(Composer)
        composer.post_message(events.Paste("x" * 50_000))
        await pilot.pause()
        await pilot.press("backspace")
        assert composer.text == ""


async def test_a_short_paste_is_shown_with_the_line_ends_of_this_system(make_app: Make) -> None:
    app = make_app()
    async with app.run_test() as pilot:
        composer = app.query_one(Composer)
        composer.post_message(events.Paste("a\r\nb\rc"))
        await pilot.pause()
        assert composer.text == "a\nb\nc"


async def test_keys_can_be_moved_and_the_old_ones_are_free(make_app: Make) -> None:
    router = ScriptedRouter(answer("ok"))
    app = make_app(router, keys={"composer.send": "ctrl+s", "nonsense": "f12"})
    async with app.run_test() as pilot:
        await pilot.press("a", "enter", "b")
        assert app.query_one(Composer).text == "a\nb"
        await pilot.press("ctrl+s")
        await until(lambda: router.requests)
        assert any("nonsense" in toast.message for toast in app._notifications)


def test_no_key_of_ours_is_one_that_terminals_confuse() -> None:
    from textual.binding import BindingsMap

    from app.tui.chat.transcript import Transcript
    from app.tui.dialogs.model_picker import ModelPicker
    from app.tui.models.pane import ModelsPane

    ids: list[str] = []
    for owner in (PlaygroundApp, ChatPane, Composer, Transcript, ModelsPane, ModelPicker):
        for key, bindings in BindingsMap(owner.__dict__["BINDINGS"]).key_to_bindings.items():
            assert key not in ("ctrl+h", "ctrl+i", "ctrl+j", "ctrl+m"), owner
            for binding in bindings:
                assert binding.id, (owner, key)
                ids.append(binding.id)
    assert ids


async def test_what_is_no_key_is_said_and_the_key_stays_where_it_was(make_app: Make) -> None:
    router = ScriptedRouter(answer("Hello."))
    app = make_app(router, keys={"composer.send": "crtl+s", "app.models": "f4, ", "app.help": "f1,question_mark"})
    async with app.run_test() as pilot:
        await until(lambda: len(app._notifications) == 2)
        said = " ".join(toast.message for toast in app._notifications)
        assert "composer.send = 'crtl+s' is no key" in said and "app.models = 'f4, ' is no key" in said
        pilot.app.query_one(Composer).put("Hi")
        await pilot.press("enter")
        await until(lambda: router.requests)


@pytest.mark.parametrize(
    "key", ["f4", "ctrl+s", "alt+shift+up", "?", "question_mark", "ctrl+@", "slash", "ß", "pageup"]
)
def test_keys(key: str) -> None:
    assert is_key(key)


@pytest.mark.parametrize("key", ["", "ctrl+", "f99", "crtl+s", "ctrl s", "QUESTION_MARK", "<any>", "up+ctrl"])
def test_no_keys(key: str) -> None:
    assert not is_key(key)


async def test_keys_that_come_faster_than_they_are_handled_keep_their_order(make_app: Make) -> None:
    router = ScriptedRouter(answer("ok"))
    app = make_app(router)
    async with app.run_test() as pilot:
        composer = app.query_one(Composer)
        composer.put("old")
        await pilot.pause()
        for key, character in (("ctrl+u", None), ("x", "x"), ("y", "y"), ("enter", "\r"), ("z", "z")):
            app.post_message(events.Key(key, character))
        await until(lambda: router.requests)
        assert router.requests[0].messages[-1].text == "xy"
        await until(lambda: composer.text == "z")


async def test_the_line_of_keys_says_what_escape_does(make_app: Make) -> None:
    app = make_app()
    async with app.run_test() as pilot:

        def does() -> str:
            active = app.screen.active_bindings.get("escape")
            return active.binding.description if active is not None else ""

        await pilot.pause()
        assert does() == ""
        await pilot.press("slash", "m")
        await until(lambda: does() == "Close the list")
        await pilot.press("escape")
        await until(lambda: does() == "")
        assert app.query_one(Composer).text == "/m"
        assert not app.query_one("#commands").display


async def test_half_a_character_ends_nothing(make_app: Make) -> None:
    app = make_app()
    async with app.run_test() as pilot:
        composer = app.query_one(Composer)
        await until(lambda: composer.language == "markdown")
        composer.put("caf\udce9 @half\udc9b")
        composer.take_path("half\udc9b.md")
        await pilot.pause(0.1)
        assert "caf\ufffd" in composer.text

"""Dictation into the text that has the keys: the post, or the prompt."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest

from app.errors import NoMicrophoneError
from app.tui.chat.composer import Composer
from app.tui.voice.meter import Meter, Speaking, loudness
from app.voice.dictation import DictationEvent, Final, Level, Listening, Partial, Preparing, Stopped
from app.voice.spoken import interpret

from .conftest import until
from .scripted import EMBEDDER, STARTER, Entry, Store

SPEECH = Entry("whisper-base", role="transcribe")


class Spoken:
    """A dictation in which a test speaks: words are an utterance, an event waits, another thing is told as it is."""

    def __init__(self, before: Callable[[], str], *said: Any) -> None:
        self._before, self._said = before, said
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        self._stopped.set()

    async def events(self) -> AsyncGenerator[DictationEvent, None]:
        yield Preparing()
        yield Listening("Built-in")
        for words in self._said:
            if isinstance(words, asyncio.Event):
                await words.wait()
            elif isinstance(words, str):
                yield Level(0.2, True)
                yield Partial(words)
                yield Final(words, interpret(words, self._before()).edits)
            else:
                yield words
                if isinstance(words, Stopped):
                    return
        await self._stopped.wait()
        yield Stopped("asked")


@pytest.fixture
def speaking(make_app):
    def make(*said: Any, here: tuple[str, ...] = ("smollm2-135m", "whisper-base")):
        app = make_app(store=Store(set(here)), entries=(STARTER, EMBEDDER, SPEECH))
        app._voice.make_dictation = lambda before: Spoken(before, *said)
        return app

    return make


async def in_a_post(app, pilot):
    await until(lambda: app._playground.vault.state == "open")
    await pilot.press("f6")
    await until(lambda: app.query("#post-shelf"))
    await pilot.pause()
    await pilot.press("n")
    await until(lambda: app.query_one("#blog").writing)
    await pilot.press("enter")
    return app.query_one("#blog").desk.editor


async def test_what_is_said_stands_at_the_cursor_of_a_post(speaking):
    app = speaking("the harbour was empty comma nobody came full stop", "new paragraph", "it rained")
    async with app.run_test(size=(100, 30)) as pilot:
        editor = await in_a_post(app, pilot)
        await pilot.press("f11")
        await until(lambda: editor.text == "The harbour was empty, nobody came.\n\nIt rained")
        assert app.query(Meter)
        await pilot.press(*" hard")
        assert editor.text.endswith("It rained hard")
        await pilot.press("f11")
        await until(lambda: not app.query(Meter))
        desk = app.query_one("#blog").desk
        await until(lambda: not desk.keeper.unwritten)
        assert (await app._playground.vault.posts.get(desk.post.id)).body == editor.text


async def test_what_is_said_stands_in_the_prompt(speaking):
    app = speaking("why is the sky blue question mark")
    async with app.run_test(size=(100, 30)) as pilot:
        await until(lambda: app._playground.vault.state == "open")
        await pilot.press("alt+d")
        await until(lambda: app.query_one(Composer).text == "Why is the sky blue?")
        await pilot.press("alt+d")
        await until(lambda: not app.query(Meter))


async def test_the_line_shows_what_is_being_said(speaking):
    app = speaking(Level(0.1, True), Partial("and then the tide came"), asyncio.Event())
    async with app.run_test(size=(100, 30)) as pilot:
        editor = await in_a_post(app, pilot)
        await pilot.press("f11")
        await until(lambda: app.query(Meter) and "the tide came" in str(app.query_one(Meter).render()))
        assert editor.text == ""
        assert "f11" in str(app.query_one(Meter).render()).lower()


async def test_what_is_being_said_stands_faintly_at_the_cursor_and_nowhere_else(speaking):
    gate, ended = asyncio.Event(), asyncio.Event()
    app = speaking(Level(0.1, True), Partial("and then the tide", 8), gate, "and then the tide came", ended)
    async with app.run_test(size=(100, 30)) as pilot:
        editor = await in_a_post(app, pilot)
        await pilot.press(*"Before after")
        await pilot.press("ctrl+left")
        desk = app.query_one("#blog").desk
        await until(lambda: not desk.keeper.unwritten)
        await pilot.press("f11")
        await until(lambda: editor.spoken)
        await pilot.pause()
        assert painted(editor).startswith("Before and then the tide after")
        # It is no part of the post, of what is kept, or of what can be undone.
        assert (editor.text, desk.post.body) == ("Before after", "Before after")
        await desk.keeper.revise("saved")
        vault = app._playground.vault
        (newest, *_) = await vault.posts.revisions(desk.post.id)
        assert (await vault.posts.revision(desk.post.id, newest.number)).body == "Before after"
        # It goes along with what is typed meanwhile.
        await pilot.press("X")
        assert painted(editor).startswith("Before X and then the tide after")
        await pilot.press("backspace")
        gate.set()
        await until(lambda: "tide came" in editor.text)
        await pilot.pause()
        assert editor.spoken == ""
        assert editor.text == "Before and then the tide came after"
        assert painted(editor).strip() == editor.text
        editor.undo()
        assert editor.text == "Before after"
        ended.set()
        await pilot.press("f11")
        await until(lambda: not app.query(Meter))


async def test_nothing_faint_stays_when_it_ends_or_the_post_does(speaking):
    app = speaking(Partial("secret words"), asyncio.Event())
    async with app.run_test(size=(100, 30)) as pilot:
        editor = await in_a_post(app, pilot)
        await pilot.press("f11")
        await until(lambda: editor.spoken == "secret words")
        await pilot.press("f11")
        await app._vault_view.closing()
        assert editor.spoken == ""
        await until(lambda: not app.query(Meter))


async def test_what_is_being_said_stands_in_the_prompt_too(speaking):
    app = speaking(Partial("why is the sky blue"), asyncio.Event())
    async with app.run_test(size=(100, 30)) as pilot:
        await until(lambda: app._playground.vault.state == "open")
        composer = app.query_one(Composer)
        await pilot.press("f11")
        await until(lambda: composer.spoken)
        await pilot.pause()
        assert painted(composer).strip() == "why is the sky blue"
        assert composer.prompt == ""


def painted(text, y=0):
    """A row as it is on the screen."""
    return text.render_line(y).text


async def test_long_words_take_rows_of_their_own_and_those_behind_them_move_down(speaking):
    app = speaking(asyncio.Event())
    async with app.run_test(size=(60, 20)) as pilot:
        editor = await in_a_post(app, pilot)
        editor.put("first line\nsecond line\nthird line")
        editor.move_cursor((1, 6))
        words = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
        editor.show_spoken(words, 7)
        await pilot.pause()
        rows = [painted(editor, y).rstrip() for y in range(editor.size.height)]
        assert rows[0].strip() == "first line"
        assert " ".join(" ".join(rows[1:]).split()) == f"second {words} line third line"
        assert all(len(row) <= editor.size.width for row in rows)
        # The end of long words is in view, also where the text fills it.
        editor.put("\n".join(f"line {number}" for number in range(60)))
        editor.move_cursor(editor.document.end)
        editor.show_spoken(words)
        await pilot.pause()
        assert "fifteen" in painted(editor, editor.size.height - 1)
        editor.show_spoken("")
        await pilot.pause()
        assert painted(editor, editor.size.height - 1).strip() == "line 59"


async def test_without_a_microphone_it_says_so_and_the_text_stays(speaking):
    error = NoMicrophoneError("There is no microphone.", "Plug one in.")
    app = speaking("words before", Stopped("fault", error))
    told = []
    app.notify_error = told.append
    async with app.run_test(size=(100, 30)) as pilot:
        editor = await in_a_post(app, pilot)
        await pilot.press("f11")
        await until(lambda: told == [error])
        assert editor.text == "Words before"
        assert not app.query(Meter)
        await pilot.press("f11")
        await until(lambda: len(told) == 2)


async def test_the_speech_model_is_fetched_first(speaking):
    app = speaking("hello there", here=("smollm2-135m",))
    async with app.run_test(size=(100, 30)) as pilot:
        editor = await in_a_post(app, pilot)
        await pilot.press("f11")
        await until(lambda: editor.text == "Hello there")
        assert app._playground.store.fetched == ["whisper-base"]


async def test_another_post_gets_nothing_of_what_was_said_for_the_last(speaking):
    gate = asyncio.Event()
    app = speaking("one", gate, "two", "three")
    async with app.run_test(size=(100, 30)) as pilot:
        editor = await in_a_post(app, pilot)
        await pilot.press("f11")
        await until(lambda: editor.text == "One")
        await pilot.press("ctrl+n")
        await until(lambda: editor.text == "")
        gate.set()
        await until(lambda: not app.query(Meter))
        assert editor.text == ""


async def test_locking_ends_it_without_writing_elsewhere(speaking):
    gate = asyncio.Event()
    app = speaking("one", gate, "two")
    async with app.run_test(size=(100, 30)) as pilot:
        editor = await in_a_post(app, pilot)
        await pilot.press("f11")
        await until(lambda: editor.text == "One")
        await app._vault_view.closing()
        await until(lambda: not app.query(Meter))
        gate.set()
        await pilot.pause()
        assert editor.text == ""


def test_the_meter_is_empty_in_silence_and_full_when_it_is_loud():
    assert loudness(0.0) == 0.0
    assert loudness(1.0) == 1.0
    assert 0.3 < loudness(0.03) < 0.6
    assert loudness(0.0001) == 0.0


def test_a_long_utterance_shows_its_end():
    from app.tui.voice.meter import _tail

    assert _tail("one two three", 20) == "one two three"
    assert _tail("one two three four five", 10).endswith("five")
    assert len(_tail("one two three four five", 10)) <= 10
    assert Speaking().partial == ""

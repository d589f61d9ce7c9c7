"""Looking through the notes of requests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from textual.pilot import Pilot
from textual.widgets import Input, Static

from app.tui.app import PlaygroundApp
from app.tui.chat.pane import ChatPane
from app.tui.requests.note_list import NoteList
from app.tui.requests.pane import PAGE
from app.tui.requests.sheet import Sheet
from app.vault.activity.audit import AuditNote, Detour

from .conftest import until

Make = Callable[..., PlaygroundApp]
HERE = AuditNote(
    at=1000.0, face="tui", asked="smollm2-135m", model="smollm2-135m", backend="local", finish="stop", total_s=1.2
)
REROUTED = AuditNote(
    at=2000.0,
    face="server",
    asked="gpt-5-mini",
    model="claude",
    backend="anthropic",
    finish="stop",
    detours=(Detour("gpt-5-mini", "claude", "It was busy."),),
    total_s=2.4,
    cost=0.0033,
    request={"messages": [{"role": "user", "content": "Hello"}]},
)
FAILED = AuditNote(
    at=3000.0,
    face="cli",
    asked="claude",
    outcome="failed",
    error="remote_timeout",
    message="It did not answer; its key was sk-ant-abcdefghijklmnopqrst\x1b[2J.",
    total_s=120.0,
)


@asynccontextmanager
async def opened(app: PlaygroundApp, *notes: AuditNote) -> AsyncIterator[Pilot[Any]]:
    async with app.run_test(size=(120, 40)) as pilot:
        await until(lambda: app.query_one(ChatPane).keeper is not None)
        await app._playground.vault.audit.add(notes)
        await pilot.press("f12")
        await until(lambda: rows(app) or not notes)
        yield pilot


def rows(app: PlaygroundApp) -> list[str]:
    found = app.query_one(NoteList)
    return [found.paint(found.row(place), 0, 118).plain for place in range(found.count)]


async def test_notes_are_listed_newest_first(make_app: Make) -> None:
    app = make_app()
    async with opened(app, HERE, REROUTED, FAILED):
        first, second, third = rows(app)
        assert "a command" in first
        assert "failed: remote timeout" in first
        assert "↪ claude" in second
        assert "$0.0033" in second
        assert "the chat" in third
        assert "1.2 s" in third


async def test_typing_filters_and_escape_shows_all(make_app: Make) -> None:
    app = make_app()
    async with opened(app, HERE, REROUTED, FAILED) as pilot:
        await pilot.press("slash", *"anthropic")
        await until(lambda: len(rows(app)) == 1)
        assert "claude" in rows(app)[0]
        await pilot.press("escape")
        await until(lambda: len(rows(app)) == 3)
        await pilot.press("f")
        await until(lambda: len(rows(app)) == 1)
        assert app.query_one("#requests Input", Input).value == "failed"


async def test_one_is_shown_whole_and_as_json(make_app: Make) -> None:
    app = make_app()
    async with opened(app, REROUTED) as pilot:
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, Sheet))
        await pilot.pause()
        body = str(app.screen.query_one(".body", Static).content)
        assert "gpt-5-mini could not: It was busy. → claude" in body
        assert '"content": "Hello"' in body
        await pilot.press("j")
        await pilot.pause()
        assert '"next_model"' in str(app.screen.query_one(".body", Static).content) or '"detours"' in str(
            app.screen.query_one(".body", Static).content
        )


async def test_secrets_and_controls_are_masked_in_every_form(make_app: Make) -> None:
    app = make_app()
    async with opened(app, FAILED) as pilot:
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, Sheet))
        for _ in range(2):
            await pilot.pause()
            body = str(app.screen.query_one(".body", Static).content)
            assert "It did not answer" in body
            assert "sk-ant" not in body
            assert "\x1b" not in body
            await pilot.press("c")
            assert "sk-ant" not in app.clipboard
            await pilot.press("j")


async def test_more_are_read_when_one_comes_to_the_end(make_app: Make) -> None:
    app = make_app()
    async with opened(app, *[HERE] * (PAGE + 50)) as pilot:
        await until(lambda: len(rows(app)) == PAGE)
        await pilot.press("end")
        await until(lambda: len(rows(app)) == PAGE + 50)


async def test_new_ones_appear_by_themselves(make_app: Make) -> None:
    app = make_app()
    async with opened(app, HERE):
        await app._playground.vault.audit.add([FAILED])
        await until(lambda: len(rows(app)) == 2)


async def test_locking_takes_them_away(make_app: Make) -> None:
    app = make_app()
    async with opened(app, HERE) as pilot:
        await app._vault_view.closing()
        await pilot.pause()
        assert not rows(app)

"""Files that go with a prompt of the chat: sent, shown, kept over versions, and held back where they must not go."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from app.messages import Image, Text
from app.tui.app import PlaygroundApp
from app.tui.chat.composer import Composer
from app.tui.chat.message_view import PromptView
from app.tui.chat.offered_files import OfferedFiles
from app.tui.chat.pane import ChatPane
from app.tui.dialogs.confirm import ConfirmScreen
from app.tui.requests.sheet import Sheet
from tests.chat.test_attaching import png

from .conftest import until
from .elsewhere import CLAUDE, LINES
from .scripted import ScriptedRouter, answer
from .test_elsewhere import opened, say
from .test_screens import still, talk

Make = Callable[..., PlaygroundApp]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


def notes(app: PlaygroundApp) -> str:
    return " ".join(toast.message for toast in app._notifications)


async def test_a_mentioned_file_is_sent_shown_as_a_line_and_stays_over_versions(make_app: Make, folder: Path) -> None:
    (folder / "notes.md").write_text("Buy ```milk```.\n")
    router = ScriptedRouter(answer("one"), answer("two"), answer("three"))
    app = make_app(router)
    async with opened(app) as pilot:
        chat = app.query_one(ChatPane)
        await say(pilot, "What does @notes.md, say to @nobody?")
        fenced = "File: notes.md\n\n````markdown\nBuy ```milk```.\n````"
        assert router.requests[0].messages[-1].parts == (Text(f"{fenced}\n\nWhat does @notes.md, say to @nobody?"),)
        view = app.query_one(PromptView)
        assert str(view.query_one(".text", Static).content) == "What does @notes.md, say to @nobody?"
        assert str(view.query_one(".attached", Static).content) == "▪ notes.md · 16 B · about 14 tokens"

        (folder / "notes.md").unlink()
        await pilot.press("ctrl+r")
        await until(lambda: len(router.requests) == 2 and not chat.answering)
        assert router.requests[1].messages == router.requests[0].messages
        await pilot.press("alt+e", "!")
        above = app.query_one("#attached", Static)
        await until(lambda: "notes.md · 16 B · about 14 tokens · as it was" in str(above.content))
        await pilot.press("enter")
        await until(lambda: len(router.requests) == 3 and not chat.answering)
        assert router.requests[2].messages[-1].text == f"{fenced}\n\nWhat does @notes.md, say to @nobody?!"

        await pilot.press("alt+e")
        app.query_one(Composer).put("Never mind it")
        await pilot.press("enter")
        await until(lambda: len(router.requests) == 4 and not chat.answering)
        assert router.requests[3].messages[-1].text == "Never mind it"


async def test_a_picture_does_not_go_to_a_model_that_sees_none_and_the_prompt_comes_back(
    make_app: Make, folder: Path
) -> None:
    (folder / "a.png").write_bytes(png(3, 3))
    (folder / "long.txt").write_text("word " * 20_000)
    (folder / "odd.bin").write_bytes(b"\0\1\2")
    router = ScriptedRouter(answer("ok"))
    app = make_app(router)
    async with opened(app) as pilot:
        composer = app.query_one(Composer)
        await until(lambda: app.query_one(ChatPane).status.state == "ready")
        for prompt, why in {
            "Look at @a.png": "smollm2-135m cannot see pictures, so nothing was sent.",
            "Read @odd.bin": "odd.bin is neither a text nor a picture",
            "Read @long.txt": "smollm2-135m reads 8,192",
        }.items():
            composer.put(prompt)
            await pilot.press("enter")
            await until(lambda why=why: why in notes(app))
            await until(lambda prompt=prompt: composer.text == prompt)
        assert not router.requests and not app.query_one(ChatPane).conversation.path()


async def test_what_commonly_holds_secrets_leaves_only_when_that_is_wanted_and_the_preview_shows_pictures_short(
    make_app: Make, folder: Path
) -> None:
    (folder / ".env").write_text("TOKEN=1")
    (folder / "a.png").write_bytes(png(3, 3))
    body = b'{"image": "data:image/png;base64,iVBORw0KGgo' + b"A" * 2_000 + b'", "text": "Hello"}'
    preview = SimpleNamespace(url="https://x", headers={}, body=body)
    router = ScriptedRouter(answer("ok"), lines=LINES, preview=preview)
    app = make_app(router)
    async with opened(app, CLAUDE.name) as pilot:
        composer, chat = app.query_one(Composer), app.query_one(ChatPane)
        composer.put("Use @.env")
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("n")
        await until(lambda: composer.text == "Use @.env")
        assert not router.requests
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("y")
        await until(lambda: router.requests and not chat.answering)
        assert "TOKEN=1" in router.requests[0].messages[-1].text
        composer.put("See @a.png")
        await pilot.press("alt+p")
        await until(lambda: isinstance(app.screen, Sheet))
        assert router.previewed is not None and isinstance(router.previewed.messages[-1].parts[0], Image)
        head, shown = (str(app.screen.query_one(name, Static).content) for name in (".head", ".body"))
        assert "1 picture sent unaltered" in head
        assert "2,011 characters in all" in shown and "Hello" in shown


def test_picture_of_the_picker(snap_compare: Any, make_app: Make, folder: Path) -> None:
    for name in ("src/compose/notes.md", "src/composer.py", "docs/comparison.md", "docs/first.md"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("word " * 200)
    (folder / "sketch.png").write_bytes(png(1280, 800))
    app = make_app()

    async def type_(pilot: Pilot[Any]) -> None:
        still(app)
        await until(lambda: app.query_one(ChatPane).keeper is not None)
        await talk(pilot)
        app.query_one(Composer).put("Compare @sketch.png with ")
        await pilot.press(*"@comp")
        await until(lambda: app.query_one(OfferedFiles).display)
        await until(lambda: "1280" in str(app.query_one("#attached", Static).content))
        await pilot.pause()

    assert snap_compare(app, terminal_size=(80, 24), run_before=type_)

"""Drives the real interface with the real starter model and keeps pictures of it in ``screenshots``."""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot

from app.playground import Playground
from app.tui.app import PlaygroundApp
from app.tui.chat.pane import ChatPane
from app.tui.prompts.picker import PromptPicker
from app.tui.unlock.screen import UnlockScreen
from app.vault.posts.posts import new_post

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))
from tests.starter import MODELS, fetch

PICTURES = REPOSITORY / "screenshots"
QUESTION = "What makes a good name for a function? Answer in three short points, with an example in Python."
EARLIER = ("Name three trees with red leaves.", "What is a vault?", "Write one sentence about rain.")
POST = """\
## A light that waits

Satellites know where we are. A lighthouse knows where we **might** be, on the night when nothing else works.

- It needs no signal and no battery of yours.
- It has stood in the same place for two hundred years.

> The sea, once it casts its spell, holds one in its net of wonder forever.

## Who keeps them now

Most keepers are gone. The lamps turn by themselves, and somebody drives out twice a year to clean the glass.
"""
PASSPHRASE = "correct horse battery staple"


async def take(home: Path) -> None:
    playground = Playground.open({"PLAYGROUND_HOME": str(home)})
    await playground.pool.load("smollm2-135m")
    app = PlaygroundApp(playground, environ={"TERM": "xterm-256color", "COLORTERM": "truecolor"})
    try:
        async with app.run_test(size=(100, 30)) as pilot:
            chat = app.query_one(ChatPane)
            await until(lambda: chat.keeper is not None)
            keep(app, "empty")
            for question in EARLIER:
                chat.parts.particulars.set_sampling("max_tokens 60")
                await ask(pilot, chat, question)
                await chat.action_new_chat()
            chat.parts.particulars.set_sampling("seed 2")
            await ask(pilot, chat, QUESTION)
            app.clear_notifications()
            await pilot.pause(0.5)
            keep(app, "chat")
            await pilot.press("f7")
            await pilot.pause(1.5)
            keep(app, "sessions")
            await pilot.press("f8")
            await pilot.pause(1.5)
            keep(app, "models")
            await pilot.press("f1")
            await pilot.pause(1)
            keep(app, "help")
            await pilot.press("escape", "f9")
            await pilot.pause(2)
            keep(app, "dashboard")
            await pilot.press("f12")
            await pilot.pause(1)
            keep(app, "requests")
            await pilot.press("f5")
            chat.parts.composer.put("/prompt")
            await pilot.press("enter")
            await until(lambda: isinstance(app.screen, PromptPicker))
            await pilot.pause(1)
            keep(app, "prompts")
            await pilot.press("escape")
            await pilot.resize_terminal(120, 36)
            await write(app, playground, pilot)
            await pilot.resize_terminal(100, 30)
            await pilot.press("f5")
            await playground.vault.set_passphrase(PASSPHRASE)
            app.action_lock()
            await until(lambda: isinstance(app.screen, UnlockScreen))
            await pilot.pause(0.5)
            keep(app, "locked")
            await pilot.press(*("space" if letter == " " else letter for letter in PASSPHRASE), "enter")
            await until(lambda: not isinstance(app.screen, UnlockScreen))
    finally:
        await playground.aclose()


async def write(app: PlaygroundApp, playground: Playground, pilot: Pilot[None]) -> None:
    post = new_post(title="Why lighthouses still matter", tags=("sea", "light"), body=POST)
    await playground.vault.posts.save(post)
    await pilot.press("f6")
    await pilot.pause(1)
    await pilot.press("enter")
    await pilot.pause(2)
    keep(app, "blog")
    await pilot.press("escape")
    await pilot.pause(0.5)


def keep(app: PlaygroundApp, name: str) -> None:
    app.save_screenshot(f"{name}.svg", str(PICTURES))


async def ask(pilot: Pilot[None], chat: ChatPane, question: str) -> None:
    await pilot.press(*("space" if letter == " " else letter for letter in question), "enter")
    await until(lambda: chat.answering)
    await until(lambda: not chat.answering)
    title = chat.keeper.session.title if chat.keeper else ""
    await until(lambda: chat.keeper is None or chat.keeper.session.title != title, seconds=8, needed=False)


async def until(condition: Callable[[], bool], seconds: float = 90, *, needed: bool = True) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            if needed:
                raise TimeoutError("the interface did not come to where the picture is taken")
            return
        await asyncio.sleep(0.05)


def main() -> None:
    fetch()
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(MODELS, Path(folder) / "models", symlinks=True)
        asyncio.run(take(Path(folder)))


if __name__ == "__main__":
    main()

"""Drives the real interface with the real starter model and keeps pictures of it in ``screenshots``."""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from pathlib import Path

from app.playground import Playground
from app.tui.app import PlaygroundApp

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))
from tests.starter import MODELS, fetch

PICTURES = REPOSITORY / "screenshots"
QUESTION = "What makes a good name for a function? Show one in Python."


async def take(home: Path) -> None:
    playground = Playground.open({"PLAYGROUND_HOME": str(home)})
    await playground.pool.load("smollm2-135m")
    app = PlaygroundApp(playground, environ={"TERM": "xterm-256color", "COLORTERM": "truecolor"})
    try:
        async with app.run_test(size=(100, 30)) as pilot:
            await pilot.pause(0.5)
            app.save_screenshot("empty.svg", str(PICTURES))
            await pilot.press(*("space" if letter == " " else letter for letter in QUESTION))
            await pilot.press("enter")
            await pilot.pause(12)
            app.save_screenshot("chat.svg", str(PICTURES))
            await pilot.press("f8")
            await pilot.pause(1.5)
            app.save_screenshot("models.svg", str(PICTURES))
            await pilot.press("f1")
            await pilot.pause(1)
            app.save_screenshot("help.svg", str(PICTURES))
    finally:
        await playground.aclose()


def main() -> None:
    fetch()
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(MODELS, Path(folder) / "models", symlinks=True)
        asyncio.run(take(Path(folder)))


if __name__ == "__main__":
    main()

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pytest_textual_snapshot import SVGImageExtension
from textual.widgets import Input, TextArea

from app.tui import settled_memory
from app.tui.app import PlaygroundApp
from app.tui.chat import quiet_memory

from .scripted import ScriptedRouter, playground

# The plugin names the ending in the way of an older syrupy; without it pictures would be kept as .raw files.
SVGImageExtension.file_extension = "svg"


@pytest.fixture(autouse=True)
def cursors_do_not_blink(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a picture is the same whenever it is taken."""
    for field in (Input, TextArea):
        monkeypatch.setattr(field.cursor_blink, "_default", False)


@pytest.fixture(autouse=True)
def garbage_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The interface goes through all memory in every answer: that of the tests, too, which takes longer than most."""
    still = SimpleNamespace(
        collect=lambda *_generation: 0,
        freeze=lambda: None,
        unfreeze=lambda: None,
        get_threshold=lambda: (700, 10, 10),
        set_threshold=lambda *_thresholds: None,
    )
    for module in (quiet_memory, settled_memory):
        monkeypatch.setattr(module, "gc", still)


@pytest.fixture
def utc() -> Iterator[None]:
    """Times of day are local, and here that is UTC."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


@pytest.fixture
def make_app(tmp_path: Path) -> Iterator[Callable[..., PlaygroundApp]]:
    """Makes the program; its vault is closed after the test, as leaving it does."""
    made: list[PlaygroundApp] = []

    def make(
        router: ScriptedRouter | None = None, environ: dict[str, str] | None = None, **options: Any
    ) -> PlaygroundApp:
        made.append(PlaygroundApp(playground(tmp_path, router, **options), environ=environ or {}))
        return made[-1]

    yield make
    for app in made:
        asyncio.run(app._playground.vault.close())


async def until(condition: Callable[[], Any], seconds: float = 5.0) -> None:
    """Waits until something holds; fails when it does not."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)

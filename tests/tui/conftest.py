from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_textual_snapshot import SVGImageExtension

from app.tui.app import PlaygroundApp

from .scripted import ScriptedRouter, playground

# The plugin names the ending in the way of an older syrupy; without it pictures would be kept as .raw files.
SVGImageExtension.file_extension = "svg"


@pytest.fixture
def make_app(tmp_path: Path) -> Callable[..., PlaygroundApp]:
    def make(
        router: ScriptedRouter | None = None, environ: dict[str, str] | None = None, **options: Any
    ) -> PlaygroundApp:
        return PlaygroundApp(playground(tmp_path, router, **options), environ=environ or {})

    return make


async def until(condition: Callable[[], Any], seconds: float = 5.0) -> None:
    """Waits until something holds; fails when it does not."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)

"""Surroundings for a part of a pane that is tested alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from app.errors import PlaygroundError


class Around:
    """Notes what is said and asked, and begins at once what is to be done."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.asked: list[tuple[Any, Callable[[Any], None]]] = []
        self.stopped: list[str] = []
        self.doing: list[asyncio.Task[None]] = []

    def do(self, work: Coroutine[Any, Any, None], group: str = "deeds", *, exclusive: bool = False) -> None:
        self.doing.append(asyncio.create_task(work))

    def stop(self, group: str) -> None:
        self.stopped.append(group)

    async def done(self) -> None:
        """Waits for what was begun."""
        await asyncio.gather(*self.doing)
        self.doing.clear()

    async def reported(self, work: Coroutine[Any, Any, None]) -> None:
        await work

    def say(self, words: str, *, title: str = "", seconds: float = 4, warning: bool = False) -> None:
        self.said.append(words)

    def say_error(self, error: PlaygroundError) -> None:
        self.said.append(error.message)

    def ask(self, dialog: Any, answered: Callable[[Any], None]) -> None:
        self.asked.append((dialog, answered))

    def key_of(self, binding_id: str, otherwise: str = "") -> str:
        return f"<{binding_id}>"

"""Memory as the interface lives with it: embeds in the background while the vault is open, and knows how far it is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from app.errors import PlaygroundError

if TYPE_CHECKING:
    from app.memory.remembering import Progress, Remembering
    from app.playground import Playground

_WAITS_FOR_MODEL = 30.0


class MemoryDesk:
    """The background work of one interface.

    Args:
        playground: has memory and its settings.
        busy: whether an answer comes just now.
    """

    def __init__(self, playground: Playground, busy: Callable[[], bool]) -> None:
        self._playground, self._busy = playground, busy
        self._task: asyncio.Task[None] | None = None
        self._remembering: Remembering | None = None
        self.progress: Progress | None = None

    def begin(self) -> None:
        """The vault is open: remembers what was said, now and from now on."""
        if self._task is None and self._playground.settings.memory.enabled:
            self._task = asyncio.create_task(self._work())

    async def end(self) -> None:
        """The vault is about to be locked, or the program ends."""
        task, self._task, self._remembering = self._task, None, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            self._playground.memory.close()

    def typed(self) -> None:
        """Somebody pressed a key: the work waits."""
        if self._remembering is not None:
            self._playground.memory.attention.typed()

    def wake(self) -> None:
        """Something was said or changed: there may be more to remember."""
        if self._remembering is not None:
            self._remembering.wake()

    async def forget(self, message_id: str) -> None:
        """Removes a message from memory for good.

        Raises:
            VaultError: when that cannot be written.
        """
        await self._playground.memory.forget("message", message_id)

    async def _work(self) -> None:
        playground = self._playground
        name = playground.settings.memory.model
        while True:
            # Nothing is fetched unasked: until the model is here, there is nothing to do.
            with suppress(PlaygroundError):
                if playground.store.path_of(playground.catalogue.get(name)) is not None:
                    break
            await asyncio.sleep(_WAITS_FOR_MODEL)
        await asyncio.to_thread(_import_what_blocks)
        memory = playground.memory
        memory.attention.busy = self._busy
        self._remembering = memory.remembering(self._told)
        await self._remembering.run()

    def _told(self, progress: Progress) -> None:
        self.progress = progress


def _import_what_blocks() -> None:
    """Their first import takes 0.2 s, in which nothing could be typed."""
    import app.memory.memory
    import app.memory.warm

    app.memory.warm.up()

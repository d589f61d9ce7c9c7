"""Memory as the interface lives with it: embeds in the background while the vault is open, and can be asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from app.errors import PlaygroundError

if TYPE_CHECKING:
    from app.memory.recall import Recalled
    from app.memory.remembering import Progress, Remembering
    from app.playground import Playground

_WAITS_FOR_MODEL = 30.0
_WARMING = "What was said?"


class MemoryDesk:
    """The background work of one interface, and what its panes ask of memory.

    Args:
        playground: has memory and its settings.
        busy: whether an answer comes just now.
    """

    def __init__(self, playground: Playground, busy: Callable[[], bool]) -> None:
        self._playground, self._busy = playground, busy
        self._task: asyncio.Task[None] | None = None
        self._remembering: Remembering | None = None
        self._progress: Progress | None = None

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
        self._progress = None

    def typed(self) -> None:
        """Somebody pressed a key: the work waits."""
        if self._remembering is not None:
            self._playground.memory.attention.typed()

    def wake(self) -> None:
        """Something was said or changed: there may be more to remember."""
        if self._remembering is not None:
            self._remembering.wake()

    @property
    def ready(self) -> bool:
        """Whether memory can be asked: it is on, its model is here, and the vault is open."""
        return self._remembering is not None

    @property
    def remembering(self) -> tuple[int, int] | None:
        """How many texts of how many are embedded, while there is much to do."""
        progress = self._progress
        return (progress.done, progress.of) if progress is not None and progress.of else None

    async def search(self, words: str, limit: int) -> tuple[Recalled, ...]:
        """See ``app.memory.memory.Memory.search``; nothing while memory is not ``ready``."""
        return await self._playground.memory.search(words, limit) if self.ready else ()

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
        await memory.attention.quiet()
        # Loads model and index, so that the first question need not wait for them. What fails here fails again where
        # somebody is told.
        with suppress(PlaygroundError):
            await memory.search(_WARMING, 1)
        await self._remembering.run()

    def _told(self, progress: Progress) -> None:
        self._progress = progress


def _import_what_blocks() -> None:
    """Their first import takes 0.2 s, in which nothing could be typed."""
    import app.memory.memory
    import app.memory.warm

    app.memory.warm.up()

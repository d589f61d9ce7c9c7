"""Work that must not be left half done: who waits for it may be cancelled, the work itself goes to its end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from app.errors import VaultError

T = TypeVar("T")


async def to_the_end(work: Coroutine[Any, Any, T], on_cancel: Callable[[], object] = lambda: None) -> T:
    """Runs ``work``; a cancellation is passed on when ``work`` has ended, and its outcome is dropped then.

    A thread cannot be stopped, so what it replaces must not be reopened, or unlocked, before it has finished.

    Args:
        work: what is to be done.
        on_cancel: called at a cancellation, to ask ``work`` to end soon.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        on_cancel()
        while not task.done():
            try:
                await asyncio.wait([task])
            except asyncio.CancelledError:
                continue  # asked again while waiting; the answer is the same
        if not task.cancelled():
            task.exception()
        raise


class Stoppable:
    """A progress callback by which a long copy can be asked to end; nothing has been changed at that point.

    Args:
        on_progress: told of the progress, in the thread that copies.
    """

    def __init__(self, on_progress: Callable[[int, int], None]) -> None:
        self._on_progress = on_progress
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Lets the copy end at its next step."""
        self._stopped.set()

    def __call__(self, done: int, of: int) -> None:
        """Passes the progress on.

        Raises:
            VaultError: when it was stopped.
        """
        if self._stopped.is_set():
            raise VaultError("It was stopped before it was done. Nothing was changed.")
        self._on_progress(done, of)

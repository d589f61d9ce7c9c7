"""Work that must not be left half done: who waits for it may be cancelled, the work itself goes to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """Runs ``work``; a cancellation is passed on when ``work`` has ended, and its outcome is dropped then.

    A thread cannot be stopped, so what it replaces must not be reopened, or unlocked, before it has finished.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            try:
                await asyncio.wait([task])
            except asyncio.CancelledError:
                continue  # asked again while waiting; the answer is the same
        if not task.cancelled():
            task.exception()
        raise

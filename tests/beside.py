"""Servers of the tests' own, beside a test that does not run in a loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import TypeVar

_Server = TypeVar("_Server")


@contextmanager
def beside(server: AbstractAsyncContextManager[_Server]) -> Iterator[_Server]:
    """What ``server`` gives, served by a thread of its own for the block."""
    ready = threading.Event()
    found: list[tuple[_Server, asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def serve() -> None:
        ended = asyncio.Event()
        async with server as there:
            found.append((there, asyncio.get_running_loop(), ended))
            ready.set()
            await ended.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert ready.wait(10)
    there, loop, ended = found[0]
    try:
        yield there
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(10)

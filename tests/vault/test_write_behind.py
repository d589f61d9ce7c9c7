"""Writing behind: trouble must not keep anybody waiting."""

from __future__ import annotations

import asyncio

from app.errors import DiskFullError, PlaygroundError
from app.vault.storage.write_behind import WriteBehind


async def test_closing_while_the_disk_is_full_ends() -> None:
    """Also when somebody else waits for the disk, and hurries the writer in the moment in which it is closed."""

    async def write() -> None:
        await asyncio.sleep(0)
        raise DiskFullError("The disk is full.")

    told: list[PlaygroundError | None] = []
    writing = WriteBehind(write, lambda: True, told.append)

    async def wait_again() -> None:
        await writing.settle()
        await writing.settle()

    async with asyncio.timeout(2):
        writing.wake()
        others = [asyncio.create_task(wait_again()) for _ in range(2)]
        await asyncio.sleep(0)
        closing = asyncio.create_task(writing.aclose())
        others.append(asyncio.create_task(wait_again()))
        await closing
    for other in others:
        other.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await writing.aclose()
    assert len(told) == 1

"""The end of a child process that was asked for sound, or for the samples of one."""

from __future__ import annotations

import asyncio
from contextlib import suppress

_LEAVE_SECONDS = 1.0


async def end(child: asyncio.subprocess.Process) -> None:
    """Ends a child, however busy it is, and waits until it is gone; nothing happens where it is.

    What it still has to say is read and thrown away: asyncio holds a process for running while its pipe is full.
    """
    with suppress(ProcessLookupError):
        child.terminate()
    try:
        async with asyncio.timeout(_LEAVE_SECONDS):
            await child.communicate()
    except TimeoutError:
        with suppress(ProcessLookupError):
            child.kill()
        await child.communicate()

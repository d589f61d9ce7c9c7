"""Writing what has changed a moment after it did, and again until it is written: nobody waits, and nothing is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from app.errors import PlaygroundError

RETRY_SECONDS = 2.0
"""Between two tries, when the disk is full or the vault is locked."""

Told = Callable[[PlaygroundError | None], None]
"""Called with why something could not be kept, once, and with ``None`` when it was kept after all."""


class WriteBehind:
    """Calls ``write`` whenever there is something to write. Belongs to one event loop.

    Args:
        write: writes all there is; raises a ``PlaygroundError`` when it cannot now, and must hold it then.
        unwritten: whether there is anything to write, or being written.
        told: hears of trouble, and of its end.
        after: seconds in which further changes are waited for, so that they are written together.
    """

    def __init__(
        self, write: Callable[[], Awaitable[None]], unwritten: Callable[[], bool], told: Told, *, after: float = 0.0
    ) -> None:
        self._write, self._unwritten, self._told, self._after = write, unwritten, told, after
        self._task: asyncio.Task[None] | None = None
        self._hurry = asyncio.Event()
        self._waiting: list[asyncio.Future[PlaygroundError | None]] = []
        self.trouble: PlaygroundError | None = None

    def wake(self) -> None:
        """Something has changed."""
        if self._unwritten() and (self._task is None or self._task.done()):
            self._task = asyncio.get_running_loop().create_task(self._write_all())

    async def settle(self) -> bool:
        """Waits until everything said so far is on the disk; False when that could not be done now."""
        while self._unwritten():
            attempt: asyncio.Future[PlaygroundError | None] = asyncio.get_running_loop().create_future()
            self._waiting.append(attempt)
            self._hurry.set()
            self.wake()
            if await attempt is not None:
                return False
        return True

    async def aclose(self) -> None:
        """Writes what is left, once more, and stops trying."""
        await self.settle()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _write_all(self) -> None:
        await self._pause(self._after)
        while self._unwritten():
            self._hurry.clear()
            try:
                error = await self._try()
            except BaseException as fault:
                # A fault of the program: whoever waits reports it, nobody waits for ever.
                self._tell_waiting(None, fault)
                raise
            self._tell_waiting(error)
            if error is not None:
                await self._pause(RETRY_SECONDS)
            elif self._unwritten():
                await self._pause(self._after)

    async def _pause(self, seconds: float) -> None:
        if seconds:
            # Not wait_for: it loses a cancellation that comes in the same moment as the hurry.
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._hurry.wait()

    async def _try(self) -> PlaygroundError | None:
        try:
            await self._write()
        except PlaygroundError as error:
            if self.trouble is None or self.trouble.code != error.code:
                self.trouble = error
                self._told(error)
            return error
        if self.trouble is not None:
            self.trouble = None
            self._told(None)
        return None

    def _tell_waiting(self, error: PlaygroundError | None, fault: BaseException | None = None) -> None:
        waiting, self._waiting = self._waiting, []
        for attempt in waiting:
            if attempt.done():
                continue
            if fault is None:
                attempt.set_result(error)
            elif isinstance(fault, asyncio.CancelledError):
                attempt.cancel()
            else:
                attempt.set_exception(fault)

"""Keeping a post while it is written: what was typed is in the vault within two seconds, and a failure loses none."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

import msgspec

from app.errors import PlaygroundError
from app.vault.post_records import Post
from app.vault.posts import Posts

SAVE_AFTER = 0.8
"""Seconds from a change until it is written: with the time to write it, well under the two that a crash may cost."""

_RETRY_SECONDS = 2.0

Told = Callable[[PlaygroundError | None], None]
"""Called with why a post could not be kept, once, and with ``None`` when it was kept after all."""


class PostKeeper:
    """Writes one post whenever it has changed. Empty posts that were never written leave no trace.

    A post that cannot be written, because the disk is full or the vault is locked, is held and tried again.

    Args:
        posts: where it is kept.
        post: as it is, or is to be, kept.
        written: whether the vault has it already.
        told: hears of trouble, and of its end.
    """

    def __init__(
        self, posts: Posts, post: Post, *, written: bool, told: Told, clock: Callable[[], float] = time.time
    ) -> None:
        self._posts, self._told, self._clock = posts, told, clock
        self.post = post
        self._kept = post if written else None
        self._task: asyncio.Task[None] | None = None
        self._hurry = asyncio.Event()
        self._waiting: list[asyncio.Future[bool]] = []
        self._trouble: PlaygroundError | None = None

    @property
    def unwritten(self) -> bool:
        """Whether there is anything that the vault does not have yet."""
        if self._kept is None:
            return bool(self.post.title.strip() or self.post.body.strip())
        return self._kept != self.post

    @property
    def trouble(self) -> PlaygroundError | None:
        """Why it cannot be kept now; ``None`` while it can."""
        return self._trouble

    def change(self, **values: object) -> None:
        """Takes over new values of the post's fields: ``title``, ``body``, ``tags`` and the others."""
        changed = msgspec.structs.replace(self.post, **values)
        if changed != self.post:
            self.post = msgspec.structs.replace(changed, updated_at=self._clock())
            self._wake()

    async def settle(self) -> bool:
        """Waits until everything said so far is on the disk; False when that could not be done now."""
        while self.unwritten:
            attempt: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
            self._waiting.append(attempt)
            self._hurry.set()
            self._wake()
            if not await attempt:
                return False
        return True

    async def revise(self, reason: str) -> None:
        """Keeps the text as it is now among the revisions, unless the newest one is the same.

        Raises:
            PlaygroundError: when it cannot be written.
        """
        if await self.settle() and self._kept is not None:
            await self._posts.revise(self.post.id, reason)
        elif self._trouble is not None:
            raise self._trouble

    async def aclose(self) -> None:
        """Writes what is left, once more, and stops trying."""
        await self.settle()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _wake(self) -> None:
        if self.unwritten and (self._task is None or self._task.done()):
            self._task = asyncio.get_running_loop().create_task(self._write_all())

    async def _write_all(self) -> None:
        await self._pause(SAVE_AFTER)
        while self.unwritten:
            self._hurry.clear()
            error = await self._try()
            for attempt in self._taken_waiting():
                attempt.set_result(error is None)
            if error is not None:
                await self._pause(_RETRY_SECONDS)
            elif self.unwritten:
                await self._pause(SAVE_AFTER)

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._hurry.wait(), seconds)

    async def _try(self) -> PlaygroundError | None:
        post = self.post
        try:
            await self._posts.save(post)
        except PlaygroundError as error:
            if self._trouble is None or self._trouble.code != error.code:
                self._trouble = error
                self._told(error)
            return error
        except BaseException as fault:
            # A fault of the program: whoever waits reports it, nobody waits for ever.
            for attempt in self._taken_waiting():
                attempt.cancel() if isinstance(fault, asyncio.CancelledError) else attempt.set_exception(fault)
            raise
        self._kept = post
        if self._trouble is not None:
            self._trouble = None
            self._told(None)
        return None

    def _taken_waiting(self) -> list[asyncio.Future[bool]]:
        waiting, self._waiting = self._waiting, []
        return [attempt for attempt in waiting if not attempt.done()]

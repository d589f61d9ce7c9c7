"""Keeping a post while it is written: what was typed is in the vault within two seconds, and a failure loses none."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from app.errors import PlaygroundError
from app.vault.posts.posts import Posts
from app.vault.posts.records import Post
from app.vault.storage.write_behind import Told, WriteBehind

SAVE_AFTER = 0.8
"""Seconds from a change until it is written: with the time to write it, well under the two that a crash may cost."""


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
        self._posts, self._clock = posts, clock
        self.post = post
        self._kept = post if written else None
        self._writing = WriteBehind(self._write, lambda: self.unwritten, told, after=SAVE_AFTER)

    @property
    def unwritten(self) -> bool:
        """Whether there is anything that the vault does not have yet."""
        if self._kept is None:
            return bool(self.post.title.strip() or self.post.body.strip())
        return self._kept != self.post

    @property
    def trouble(self) -> PlaygroundError | None:
        """Why it cannot be kept now; ``None`` while it can."""
        return self._writing.trouble

    def change(self, **values: object) -> None:
        """Takes over new values of the post's fields: ``title``, ``body``, ``tags`` and the others."""
        changed = msgspec.structs.replace(self.post, **values)
        if changed != self.post:
            self.post = msgspec.structs.replace(changed, updated_at=self._clock())
            self._writing.wake()

    async def settle(self) -> bool:
        """Waits until everything said so far is on the disk; False when that could not be done now."""
        return await self._writing.settle()

    async def revise(self, reason: str) -> None:
        """Keeps the text as it is now among the revisions, unless the newest one is the same.

        Raises:
            PlaygroundError: when it cannot be written.
        """
        if await self.settle() and self._kept is not None:
            await self._posts.revise(self.post.id, reason)
        elif self.trouble is not None:
            raise self.trouble

    async def aclose(self) -> None:
        """Writes what is left, once more, and stops trying."""
        await self._writing.aclose()

    async def _write(self) -> None:
        post = self.post
        await self._posts.save(post)
        self._kept = post

"""The head of a post: title, slug, tags, date and status, be the post on the desk or not."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from app.tui.surroundings import Surroundings
    from app.vault.posts.posts import Posts
    from app.vault.posts.records import Post

    from .kept_post import KeptPost
    from .particulars import Particulars


class Head:
    """Asks for it, and changes it where the post is."""

    def __init__(self, kept: KeptPost, posts: Posts, around: Surroundings, changed: Callable[[], None]) -> None:
        """``changed``: a post that is not on the desk has another head now."""
        self._kept, self._posts, self._around, self._changed = kept, posts, around, changed

    def ask(self, post: Post) -> None:
        """Asks for title, slug, tags, date and status."""
        from .particulars import ParticularsDialog

        def answered(chosen: Particulars | None) -> None:
            if chosen is not None:
                self._around.do(self._take(post, chosen))

        self._around.ask(ParticularsDialog(post), answered)

    async def _take(self, post: Post, chosen: Particulars) -> None:
        values = msgspec.structs.asdict(chosen)
        if self._on_desk(post) is not None:
            self._kept.adopt(**values)
            return
        stored = await self._posts.get(post.id)
        await self._posts.save(msgspec.structs.replace(stored, **values))
        self._changed()

    async def keep_address(self, post: Post) -> None:
        """The post's address stays what it was written under, whatever its title becomes later."""
        from app.vault.posts.slugs import address_of

        if self._on_desk(post) is None:
            stored = await self._posts.get(post.id)
            if not stored.slug:
                await self._posts.save(msgspec.structs.replace(stored, slug=address_of(post)))
        # It may have come onto the desk meanwhile, as it was before.
        now = self._on_desk(post)
        if now is not None and not now.slug:
            self._kept.adopt(slug=address_of(post))

    def _on_desk(self, post: Post) -> Post | None:
        """The post as it is on the desk, if it is there."""
        now = self._kept.post
        return now if now is not None and now.id == post.id else None

"""How the post on the desk was before."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.tui.surroundings import Surroundings
    from app.vault.posts.posts import Posts
    from app.vault.posts.records import Revision

    from .editor import PostEditor
    from .kept_post import KeptPost


class History:
    """Keeps revisions, shows them and goes back to one."""

    def __init__(self, kept: KeptPost, posts: Posts, editor: PostEditor, around: Surroundings) -> None:
        self._kept, self._posts, self._editor, self._around = kept, posts, editor, around

    async def add(self) -> None:
        """Keeps the post as it is now among its revisions; that it is kept at all needs no key."""
        if self._kept.keeper is not None:
            await self._kept.keeper.revise("saved")
            self._around.say("Kept, and among the revisions.", seconds=2)

    async def show(self) -> None:
        """Shows how the post was before."""
        from .revisions import RevisionsScreen

        post = self._kept.post
        if post is None:
            return
        lines = await self._posts.revisions(post.id)
        if not lines:
            self._around.say("There is none yet: the first is kept when the post is opened again.", seconds=3)
            return

        def answered(revision: Revision | None) -> None:
            if revision is not None:
                self._around.do(self._go_back(revision))

        screen = RevisionsScreen(post, lines, lambda number: self._posts.revision(post.id, number))
        self._around.ask(screen, answered)

    async def _go_back(self, revision: Revision) -> None:
        if self._kept.keeper is None:
            return
        await self._kept.keeper.revise("restored")
        self._kept.adopt(title=revision.title, body=revision.body)
        self._editor.focus()
        self._around.say("Gone back. How it was is among the revisions.")

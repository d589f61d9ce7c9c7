"""What is done with a post of the list that is not wanted any more, and the way back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from app.tui.sessions.titles import short_title

if TYPE_CHECKING:
    from app.tui.surroundings import Surroundings
    from app.vault.posts.posts import Posts
    from app.vault.posts.records import PostLine

_UNDONE_AT_MOST = 50


class PostBin:
    """Puts posts into the bin, takes them out, and removes them for good."""

    def __init__(
        self,
        posts: Posts,
        around: Surroundings,
        *,
        gone: Callable[[str], object],
        reload: Callable[[str | None], None],
    ) -> None:
        """``gone``: gets the id of a post that is not among the others now.

        ``reload``: shows the list anew, with the choice on a post, if one is named.
        """
        self._posts, self._around, self._gone, self._reload = posts, around, gone, reload
        self._deleted: list[str] = []

    @property
    def can_undo(self) -> bool:
        """Whether something was deleted that can be brought back."""
        return bool(self._deleted)

    def forget(self) -> None:
        """Nothing can be undone any more: the vault is being locked."""
        self._deleted.clear()

    async def delete(self, post: PostLine) -> None:
        """Puts the post into the bin."""
        await self._posts.delete(post.id)
        self._gone(post.id)
        self._deleted.append(post.id)
        del self._deleted[:-_UNDONE_AT_MOST]
        key = self._around.key_of("blog.undo", "u")
        self._around.say(f"“{short_title(post.title)}” lies in the bin: {key} brings it back.")
        self._reload(None)

    def undo(self) -> None:
        """Brings back what was deleted last."""
        if self._deleted:
            self._around.do(self._restore(self._deleted.pop()))

    async def restore(self, post: PostLine) -> None:
        """Takes the post out of the bin."""
        await self._restore(post.id)

    async def _restore(self, post_id: str) -> None:
        await self._posts.restore(post_id)
        self._let_go(post_id)
        self._around.say("Back among the posts.", seconds=3)
        self._reload(post_id)

    def ask_to_purge(self, post: PostLine) -> None:
        """Removes the post for good, after a question."""
        from app.tui.dialogs.confirm import ConfirmScreen

        def answered(yes: bool | None) -> None:
            if yes:
                self._around.do(self._purge(post.id))

        title = short_title(post.title)
        question = f"“{title}” and all its revisions are removed. Nothing brings them back but a backup."
        self._around.ask(ConfirmScreen("Delete for good?", question), answered)

    async def _purge(self, post_id: str) -> None:
        await self._posts.purge(post_id)
        self._gone(post_id)
        self._let_go(post_id)
        self._around.say("Deleted for good.", seconds=3)
        self._reload(None)

    def _let_go(self, post_id: str) -> None:
        self._deleted = [one for one in self._deleted if one != post_id]

"""The post on the desk, and its keeper: what is typed is in the vault soon, and nothing of it stays when that locks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from app.tui.settled_memory import settle_memory, unsettle_memory

if TYPE_CHECKING:
    from app.vault.posts.posts import Posts
    from app.vault.posts.records import Post
    from app.vault.storage.write_behind import Told
    from app.writing.keeping import PostKeeper


class Page(Protocol):
    """Where a post is seen and written, as far as its keeping needs it: ``Sheet``."""

    @property
    def text(self) -> str:
        """The text as it is written now."""
        ...

    def put(self, title: str, body: str) -> None:
        """Shows another post."""
        ...

    def change(self, title: object = None, body: object = None) -> None:
        """Shows another title, another text, or both."""
        ...

    def clear(self) -> None:
        """Shows no post."""
        ...


class KeptPost:
    """Puts posts onto the desk and off it, and takes over what is typed."""

    def __init__(
        self, posts: Posts, page: Page, *, told: Told, shown: Callable[[], None], cleared: Callable[[], None]
    ) -> None:
        """``told``: hears of trouble with keeping, and of its end; ``shown``: the post is another or has changed.

        ``cleared``: no post is on the desk any more.
        """
        self._posts, self._page = posts, page
        self._told, self._shown, self._cleared = told, shown, cleared
        self.keeper: PostKeeper | None = None
        """Writes the post; ``None`` while there is none on the desk."""
        self._loaded = ""

    @property
    def post(self) -> Post | None:
        """The post as it is now; ``None`` while there is none on the desk."""
        return self.keeper.post if self.keeper is not None else None

    # Onto the desk and off it

    async def open(self, post_id: str) -> None:
        """Puts a kept post on the desk.

        Raises:
            PlaygroundError: when it cannot be read.
        """
        if self.post is not None and self.post.id == post_id:
            return
        await self.close()
        post = await self._posts.get(post_id)
        await self._posts.revise(post_id, "opened")
        self._begin(post, written=True)

    async def begin(self) -> None:
        """Puts a new post on the desk. Until something is written in it, it leaves no trace."""
        from app.vault.posts.posts import new_post

        await self.close()
        self._begin(new_post(), written=False)

    def _begin(self, post: Post, *, written: bool) -> None:
        from app.writing.keeping import PostKeeper

        self.keeper = PostKeeper(self._posts, post, written=written, told=self._told)
        self._page.put(post.title, post.body)
        self._loaded = self._page.text
        self._shown()
        # A full collection of what the program holds takes longer than a key may.
        settle_memory()

    async def close(self) -> None:
        """Keeps what is left, and shows nothing of the post any more."""
        self.take_text()
        keeper, self.keeper = self.keeper, None
        if keeper is not None:
            await keeper.aclose()
        self._clear()

    async def end(self) -> None:
        """Keeps what is left, also what was typed this very moment; the interface closes."""
        if self.keeper is not None:
            self.take_text()
            await self.keeper.aclose()

    def abandon(self) -> None:
        """The post is gone: lets it go without keeping anything."""
        self.keeper = None
        self._clear()

    def _clear(self) -> None:
        self._loaded = ""
        unsettle_memory()
        self._page.clear()
        self._cleared()

    # Changes

    def take_title(self, title: str) -> None:
        """The title was typed."""
        if self.keeper is not None:
            self.keeper.change(title=title)

    def take_text(self) -> None:
        """The text was typed."""
        text = self._page.text
        # To open a post is not to change it, whatever the editor makes of its line ends.
        if self.keeper is not None and text != self._loaded:
            self._loaded = ""
            self.keeper.change(body=text)

    def adopt(self, **values: object) -> None:
        """Takes over new values of the post's fields, and shows them; a new body can be undone."""
        if self.keeper is None:
            return
        self.keeper.change(**values)
        self._page.change(values.get("title"), values.get("body"))
        self._shown()

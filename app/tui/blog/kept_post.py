"""The post on the desk, and its keeper: what is typed is in the vault soon, and nothing of it stays when that locks."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec
from textual import getters, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.timer import Timer
from textual.widgets import Input, TextArea

from app.errors import PlaygroundError
from app.tui.face import Face
from app.tui.sessions.settled_memory import settle_memory, unsettle_memory
from app.tui.voice.dictating import DICTATED

from .editor import PostEditor
from .live_preview import LivePreview
from .state_line import StateLine
from .title_field import TitleField

if TYPE_CHECKING:
    from app.tui.pane import Pane
    from app.vault.post_records import Post
    from app.vault.vault import Vault
    from app.writing.keeping import PostKeeper

_LEAST_PAUSE = 0.2
_SHARE = 4.0
"""Figures and preview follow the keys after a pause this many times as long as the last time took."""

_LOOK_EVERY = 0.25


class KeptPost(Vertical):
    """Title, text and figures of one post."""

    app = getters.app(Face)

    def __init__(self, pane: Pane, vault: Vault) -> None:
        super().__init__(id="post-desk")
        self._pane, self._vault = pane, vault
        self.keeper: PostKeeper | None = None
        self._loaded = ""
        self._catching_up: Timer | None = None
        self._took = 0.0
        self.editor = PostEditor()
        """Where the text is."""

    def compose(self) -> ComposeResult:
        """Title, text beside its preview, figures."""
        yield TitleField(self.to_text)
        with Horizontal(id="post-body"):
            yield self.editor
            yield LivePreview()
        yield StateLine()

    def on_mount(self) -> None:
        """Looks now and then whether everything is kept."""
        self.set_interval(_LOOK_EVERY, self._look)

    async def on_unmount(self) -> None:
        """The interface closes: keeps what is left, also what was typed this very moment."""
        keeper = self.keeper
        if keeper is not None:
            self._take_over(self.editor.text)
            await keeper.aclose()

    @property
    def post(self) -> Post | None:
        """The post as it is now; ``None`` while there is none on the desk."""
        return self.keeper.post if self.keeper is not None else None

    def to_text(self) -> None:
        """Gives the keys to the text, at once."""
        self.screen.set_focus(self.editor)

    # Onto the desk and off it

    async def open(self, post_id: str) -> None:
        """Puts a kept post on the desk.

        Raises:
            PlaygroundError: when it cannot be read.
        """
        if self.post is not None and self.post.id == post_id:
            return
        await self.close()
        post = await self._vault.posts.get(post_id)
        await self._vault.posts.revise(post_id, "opened")
        self._begin(post, written=True)

    async def begin(self) -> None:
        """Puts a new post on the desk. Until something is written in it, it leaves no trace."""
        from app.vault.posts import new_post

        await self.close()
        self._begin(new_post(), written=False)

    def _begin(self, post: Post, *, written: bool) -> None:
        from app.writing.keeping import PostKeeper

        self.keeper = PostKeeper(self._vault.posts, post, written=written, told=self._told)
        self.note("")
        self._put(post)
        # A full collection of what the program holds takes longer than a key may.
        settle_memory()

    async def close(self) -> None:
        """Keeps what is left, and shows nothing of the post any more."""
        if self.keeper is not None:
            self._take_over(self.editor.text)
        keeper, self.keeper = self.keeper, None
        if keeper is not None:
            await keeper.aclose()
        self._clear()

    def abandon(self) -> None:
        """The post is gone: lets it go without keeping anything."""
        self.keeper = None
        self._clear()

    def _clear(self) -> None:
        if self._catching_up is not None:
            self._catching_up.stop()
            self._catching_up = None
        self._loaded = ""
        unsettle_memory()
        self.editor.remove_class(DICTATED)
        if self.is_mounted:
            with self.prevent(Input.Changed, TextArea.Changed):
                self.query_one(TitleField).value = ""
                self.editor.put("")
            self.query_one(LivePreview).forget()

    def _put(self, post: Post) -> None:
        with self.prevent(Input.Changed, TextArea.Changed):
            self.query_one(TitleField).value = post.title
            self.editor.put(post.body)
        self._loaded = self.editor.text
        self._catch_up()

    def adopt(self, **values: object) -> None:
        """Takes over new values of the post's fields, and shows them; a new body can be undone."""
        keeper = self.keeper
        if keeper is None:
            return
        keeper.change(**values)
        title, body = values.get("title"), values.get("body")
        with self.prevent(Input.Changed, TextArea.Changed):
            if isinstance(title, str):
                self.query_one(TitleField).value = title
            if isinstance(body, str) and body != self.editor.text:
                self.editor.change(0, len(self.editor.text), body)
        self._catch_up()

    def _told(self, error: PlaygroundError | None) -> None:
        if error is None:
            self.app.notify("Everything is kept again.", timeout=4)
        else:
            self.app.notify_error(error)

    # Following the keys

    @on(TitleField.Changed)
    def _title_changed(self, event: Input.Changed) -> None:
        event.stop()
        if self.keeper is not None:
            self.keeper.change(title=event.value)

    @on(TextArea.Changed)
    def _text_changed(self, event: TextArea.Changed) -> None:
        event.stop()
        if self.keeper is None:
            return
        self._take_over(self.editor.text)
        self.typed()
        if self._catching_up is None:
            self._catching_up = self.set_timer(max(_LEAST_PAUSE, _SHARE * self._took), self._catch_up)

    def typed(self) -> None:
        """The text changed."""

    def _take_over(self, text: str) -> None:
        # To open a post is not to change it, whatever the editor makes of its line ends.
        if self.keeper is not None and text != self._loaded:
            self._loaded = ""
            self.keeper.change(body=text)

    @on(TextArea.SelectionChanged)
    def _moved(self, event: TextArea.SelectionChanged) -> None:
        event.stop()
        if self._catching_up is None:
            self.query_one(LivePreview).follow(self.editor.cursor_location[0])

    def _catch_up(self) -> None:
        from app.writing.statistics import statistics

        if self._catching_up is not None:
            self._catching_up.stop()
            self._catching_up = None
        if not self.is_mounted or self.keeper is None:
            return
        began = time.perf_counter()
        text = self.editor.text
        self.editor.fit_language()
        figures = statistics(text)
        post = self.keeper.post
        self._state(words=figures.words, reading=figures.reading_time, status=post.status, tags=post.tags)
        self.query_one(LivePreview).show(text, self.editor.cursor_location[0])
        self._took = time.perf_counter() - began
        self._look()

    def _look(self) -> None:
        keeper = self.keeper
        if keeper is None or not self.is_mounted:
            return
        trouble = keeper.trouble
        self._state(saved=not keeper.unwritten, trouble=trouble.message if trouble is not None else "")

    def _state(self, **values: object) -> None:
        line = self.query_one(StateLine)
        line.state = msgspec.structs.replace(line.state, **values)

    def note(self, words: str) -> None:
        """Says in the line below what is going on; nothing ends that."""
        self._state(note=words)

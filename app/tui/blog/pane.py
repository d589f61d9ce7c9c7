"""The Blog pane: the list of posts, and the desk where one of them is written."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult

from app.errors import UnknownPostError
from app.settings.writing import WritingSettings
from app.tui.pane import Pane

from .desk import WritingDesk
from .shelf import Shelf

if TYPE_CHECKING:
    from textual.app import SystemCommand

    from app.tui.model_desk import ModelDesk
    from app.vault.posts.records import Post
    from app.vault.vault import Vault


class BlogPane(Pane):
    """Posts. The list is shown until one is opened; Escape goes back to it."""

    DEFAULT_CSS = """
    BlogPane { height: 1fr; width: 1fr; padding: 1 1 0 1; background: $background; }
    BlogPane.-writing Shelf { display: none; }
    BlogPane.-writing WritingDesk { display: block; }
    """

    def __init__(
        self,
        vault: Vault,
        models: ModelDesk,
        model: str,
        choices: WritingSettings = WritingSettings(),  # noqa: B008 (immutable)
        environ: Mapping[str, str] = MappingProxyType({}),
        clock: Callable[[], float] = time.time,
    ) -> None:
        """``model``: who helps, unless the settings name one; ``clock``: seconds since 1970, for "today"."""
        super().__init__(id="blog")
        self._vault, self._clock = vault, clock
        self._desk = WritingDesk(self, vault, models, model, choices, environ)
        self._open_again: str | None = None

    def compose(self) -> ComposeResult:
        """Both, one of them shown."""
        yield Shelf(self, self._vault, self._clock)
        yield self._desk

    @property
    def shelf(self) -> Shelf:
        """The list."""
        return self.query_one(Shelf)

    @property
    def desk(self) -> WritingDesk:
        """Where one writes."""
        return self._desk

    @property
    def writing(self) -> bool:
        """Whether a post is on the desk."""
        return self.has_class("-writing")

    def on_mount(self) -> None:
        """Reads the list."""
        self.shelf.reload()

    def shown(self) -> None:
        """It has come to the front."""
        if not self.writing:
            self.shelf.reload()

    def take_focus(self) -> None:
        """Puts the keys to what is shown."""
        if self.writing:
            self.desk.take_focus()
        else:
            self.shelf.take_focus()

    async def vault_opened(self, vault: Vault) -> None:
        """Shows the posts, and the one that was written when it was locked."""
        again, self._open_again = self._open_again, None
        self.shelf.reload(again)
        if again is not None:
            self.do(self._open_if_there(again), "post", exclusive=True)

    async def _open_if_there(self, post_id: str) -> None:
        try:
            await self._open(post_id)
        except UnknownPostError:
            # It was never written, or removed elsewhere: the list is what there is.
            return

    async def vault_closing(self) -> None:
        """Keeps what is left and forgets all of it."""
        post = self.desk.post
        self._open_again = post.id if post is not None and self.writing else None
        await self.desk.kept.close()
        self.remove_class("-writing")
        self.shelf.forget()

    def commands(self) -> Iterable[SystemCommand]:
        """What the desk can do, or the list."""
        from textual.app import SystemCommand

        yield SystemCommand("New post", "Begin a post.", self._new_wanted)
        if not self.writing:
            return
        desk = self.desk
        for title, help_, action in (
            ("Assist", "Titles, summary, rewriting, grammar and more, from a model.", desk.action_assist),
            ("Model for posts", "Choose who helps with writing.", desk.action_pick_model),
            ("Find and replace", "Words or patterns, in this post.", desk.action_find),
            ("Outline", "Go to a heading.", desk.action_outline),
            ("Title and tags", "Slug, date and status too.", desk.action_particulars),
            ("Revisions", "See how the post was before, and go back.", desk.action_revisions),
            ("Export the post", "Markdown, a web page, Hugo or Jekyll.", desk.action_export),
            ("Preview", "Show or hide how the post will look.", desk.action_preview),
            ("Edit in your editor", "Open the post in $EDITOR.", desk.action_edit),
        ):
            yield SystemCommand(title, help_, action)

    # Between the two

    @on(Shelf.OpenWanted)
    def _open_wanted(self, event: Shelf.OpenWanted) -> None:
        event.stop()
        self.do(self._open(event.post_id), "post", exclusive=True)

    def open_post(self, post_id: str) -> None:
        """Puts a post on the desk, whatever is shown now; one that is written on is kept before."""
        self.do(self._open_instead(post_id), "post", exclusive=True)

    async def _open_instead(self, post_id: str) -> None:
        if await self._settled():
            await self._open(post_id)

    async def _open(self, post_id: str) -> None:
        await self.desk.kept.open(post_id)
        self._show_desk()

    def _show_desk(self) -> None:
        self.add_class("-writing")
        if self.display and len(self.app.screen_stack) == 1:
            self.desk.take_focus()
        self.refresh_bindings()

    @on(Shelf.NewWanted)
    @on(WritingDesk.NewWanted)
    def _new_wanted(self) -> None:
        self.do(self._new(), "post", exclusive=True)

    async def _new(self) -> None:
        await self.desk.kept.begin()
        self._show_desk()

    @on(WritingDesk.Left)
    def _left(self) -> None:
        self.do(self._leave(), "post", exclusive=True)

    async def _settled(self) -> bool:
        """Whether the post on the desk is kept. What cannot be kept now stays where it can be seen."""
        keeper = self.desk.keeper
        settled = keeper is None or await keeper.settle()
        if not settled:
            self.app.notify("The post could not be kept yet; it stays open.", severity="warning")
        return settled

    async def _leave(self) -> None:
        if not await self._settled():
            return
        post = self.desk.post
        await self.desk.kept.close()
        self.remove_class("-writing")
        self.shelf.reload(post.id if post is not None else None)
        self.shelf.take_focus()
        self.refresh_bindings()

    @on(Shelf.ParticularsWanted)
    def _particulars_wanted(self, event: Shelf.ParticularsWanted) -> None:
        self.do(self._with_post(event.post_id, self.desk.head.ask))

    @on(Shelf.ExportWanted)
    def _export_wanted(self, event: Shelf.ExportWanted) -> None:
        self.do(self._with_post(event.post_id, self.desk.publisher.ask))

    async def _with_post(self, post_id: str, ask: Callable[[Post], None]) -> None:
        ask(await self._vault.posts.get(post_id))

    @on(Shelf.Gone)
    def _gone(self, event: Shelf.Gone) -> None:
        if self.desk.post is not None and self.desk.post.id == event.post_id:
            self.desk.kept.abandon()

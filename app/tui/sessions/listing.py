"""The body of the pane: the lines of a shelf or the hits of a search, and the preview beside them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal

from app.tui.row_list import RowList

from .empty import empty_words
from .hit_list import HitList
from .pages import Pages
from .preview import Preview
from .preview_reader import PreviewReader
from .selection import Selection
from .session_list import SessionList
from .shelf_bar import SHELVES, ShelfBar
from .shelf_reader import ShelfReader
from .tags import tag_words

if TYPE_CHECKING:
    from app.tui.surroundings import Surroundings
    from app.vault.conversations.sessions import Shelf
    from app.vault.vault import Vault

WIDE = 110
"""Columns from which there is room for a preview."""

_CLOCK_SECONDS = 30.0


class Listing(Horizontal):
    """Follows the vault and whoever scrolls; it never waits for either."""

    def __init__(
        self,
        vault: Vault,
        clock: Callable[[], float],
        bar: ShelfBar,
        around: Surroundings,
        *,
        counted: Callable[[], None],
        mark: Callable[[bool, str], object],
    ) -> None:
        """``clock``: seconds since 1970; ``bar``: says what is listed.

        ``counted``: it was read how much there is; ``mark``: sets or takes a class of the pane, for its style sheet.
        """
        super().__init__(id="session-body")
        self._vault, self._bar, self._around, self._counted, self._mark = vault, bar, around, counted, mark
        pages = Pages()
        self.lines, self.hits, self._preview = SessionList(pages, clock), HitList(clock), Preview()
        self.selection = Selection(self.lines, pages, self.hits, lambda of_hits: mark(of_hits, "-searching"))
        self.reader = ShelfReader(vault, pages, self.lines, counted=self._show_counts, shown=self.show_emptiness)
        self.previews = PreviewReader(vault, self._preview)
        self._offered = False
        # Until the width is known: what does not fit is not painted first and taken away again.
        mark(True, "-narrow")

    def compose(self) -> ComposeResult:
        """Both lists, one of them shown, and the preview."""
        yield self.lines
        yield self.hits
        yield self._preview

    def on_mount(self) -> None:
        """Reads the first page, and goes on reading whatever comes into view."""
        self._around.do(self._keep_up(), "list", exclusive=True)
        self._around.do(self._keep_looking(), "preview", exclusive=True)
        self.set_interval(_CLOCK_SECONDS, lambda: self.selection.rows.refresh())
        self.show_emptiness()

    @property
    def holds_something(self) -> bool:
        """Whether there is something to forget."""
        return self.reader.holds_something or self.previews.holds_something

    def reload(self) -> None:
        """Shows what the vault holds now."""
        self.reader.reload()
        self.previews.expire()

    def forget(self) -> None:
        """Shows and keeps nothing of the vault."""
        self.reader.forget()
        self.hits.forget()
        self.previews.forget()
        self._bar.counts, self._bar.note, self._bar.shelf = {}, "", "current"
        self.show_emptiness()

    # What is listed

    @property
    def in_bin(self) -> bool:
        """Whether the bin is shown."""
        return self.reader.shelf == "bin" and not self.selection.of_hits

    def show_shelf(self, shelf: Shelf) -> None:
        """Shows another shelf from its beginning."""
        self.reader.shelf = self._bar.shelf = shelf
        self._begin()
        self.lines.focus()

    def shelf_at(self, step: int) -> Shelf:
        """The shelf so many steps from this one."""
        names = [name for name, _ in SHELVES]
        return names[(names.index(self.reader.shelf) + step) % len(names)]

    def show_tag(self, tag: str | None) -> None:
        """Shows only the lines with a tag; ``None`` for all."""
        if tag != self.reader.tag:
            self.reader.tag = tag
            self._begin()
        self.note("" if tag is None else f"only {tag_words(tag)}")
        self.show_emptiness()

    def _begin(self) -> None:
        self.reader.begin()
        self.previews.expire()
        self.refresh_bindings()

    def _show_counts(self, counts: dict[Shelf, int]) -> None:
        self._bar.counts, self._bar.shelf = counts, self.reader.shelf
        self._counted()

    def note(self, words: str) -> None:
        """Says above the list what was found."""
        self._bar.note = words

    def show_as_active(self, on: bool) -> None:
        """The list looks as if it had the focus, or does not."""
        for rows in (self.lines, self.hits):
            rows.set_class(on, "-active")

    def make_room(self, columns: int) -> None:
        """The terminal is so wide: a preview only where there is room for it."""
        self.previews.room = columns >= WIDE
        self._mark(not self.previews.room, "-narrow")
        self.look()

    def show_found(self) -> None:
        """Another list is in front, or other rows are in it."""
        self.show_emptiness()
        self.look()

    def look(self) -> None:
        """The preview follows the choice."""
        self.previews.look(self.selection.chosen)

    def show_emptiness(self) -> None:
        """One helpful line in the place of a list that has nothing in it."""
        rows, searching, locked = self.selection.rows, self.selection.of_hits, self._vault.state != "open"
        empty = not rows.count and (locked or searching or self.reader.known)
        self._mark(empty, "-empty")
        instead = None
        if empty:
            instead = empty_words(
                self.reader.shelf,
                locked=locked,
                searching=searching,
                pondering=self.hits.pondering,
                tag=self.reader.tag,
                key_of=self._around.key_of,
            )
        rows.say_instead(instead)

    # Keeping up with the vault and with the reader

    async def _keep_up(self) -> None:
        """One reader of the list for as long as the pane lives."""
        while True:
            await self._around.reported(self._catch_up())
            await self.reader.woken()

    async def _catch_up(self) -> None:
        if not await self.reader.catch_up():
            self.show_emptiness()
            return
        self.look()
        self.refresh_bindings()

    async def _keep_looking(self) -> None:
        while True:
            await self.previews.rested()
            await self._around.reported(self.previews.show())

    @on(RowList.Moved)
    def _moved(self, event: RowList.Moved) -> None:
        event.stop()
        if event.rows is self.lines:
            self.reader.scrolled()
        self.look()
        # The keys change when there is a chosen row at last, or none any more: not with every step.
        if self._offered != (self.selection.chosen is not None):
            self._offered = not self._offered
            self.refresh_bindings()

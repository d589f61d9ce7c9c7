"""Reading what the list of a shelf shows: how many lines there are, and the pages in view."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from app.vault.conversations.records import SessionLine

from .pages import PAGE, Pages
from .shelf_bar import SHELVES

if TYPE_CHECKING:
    from app.vault.conversations.sessions import Shelf
    from app.vault.vault import Vault

_AHEAD = PAGE // 2


class Lines(Protocol):
    """The list, as far as its reader needs it: ``SessionList``."""

    @property
    def chosen(self) -> int:
        """The place of the chosen line."""
        ...

    @property
    def first_in_view(self) -> int:
        """The place of the topmost line that is seen."""
        ...

    @property
    def last_in_view(self) -> int:
        """The place of the lowest line that is seen, at most."""
        ...

    def show(self, count: int, chosen: int | None = None) -> None:
        """There are so many lines now."""
        ...

    def refresh(self) -> object:
        """Paints what is in view again."""
        ...

    def forget(self) -> None:
        """Shows nothing."""
        ...


class ShelfReader:
    """Follows the vault and whoever scrolls. One caller calls ``catch_up``, so that reads never overtake another."""

    def __init__(
        self,
        vault: Vault,
        pages: Pages,
        lines: Lines,
        *,
        counted: Callable[[dict[Shelf, int]], None],
        shown: Callable[[], None],
    ) -> None:
        """``counted``: gets how much is on each shelf; ``shown``: the list has its new length."""
        self._vault, self._pages, self._lines = vault, pages, lines
        self._counted, self._shown = counted, shown
        self.shelf: Shelf = "current"
        self.tag: str | None = None
        """The tag that every line has, when only some are shown."""
        self.known = False
        """Whether it was read how much there is."""
        self._stale = True
        self._wake = asyncio.Event()

    def reload(self) -> None:
        """Something changed: all of it is to be read again."""
        self._stale = True
        self._wake.set()

    def begin(self) -> None:
        """Shows the beginning of the shelf."""
        self._pages.clear()
        self.known = False
        self._lines.forget()
        self.reload()

    def forget(self) -> None:
        """Keeps nothing of what was read."""
        self._pages.clear()
        self.tag, self.shelf, self.known = None, "current", False
        self._lines.forget()

    @property
    def holds_something(self) -> bool:
        """Whether there is something to forget."""
        return bool(self._pages.count)

    def scrolled(self) -> None:
        """Other lines are in view: reads on if they are not known."""
        if self._missing is not None:
            self._wake.set()

    async def woken(self) -> None:
        """Waits until there is something to catch up with."""
        await self._wake.wait()

    async def catch_up(self) -> bool:
        """Reads until everything in view is known, and some lines around it. False when the vault is not open."""
        self._wake.clear()
        if self._vault.state != "open":
            return False
        while self._stale or self._missing is not None:
            if self._stale:
                await self._recount()
            page = self._missing
            if page is not None:
                await self._pages.load(page, self._fetch)
                self._lines.refresh()
        return True

    @property
    def _missing(self) -> int | None:
        first, last = self._lines.first_in_view, self._lines.last_in_view
        here = self._pages.missing(first, last)
        return here if here is not None else self._pages.missing(first - _AHEAD, last + _AHEAD)

    async def _fetch(self, offset: int, limit: int) -> tuple[SessionLine, ...]:
        return await self._vault.sessions.lines(offset, limit, shelf=self.shelf, tag=self.tag)

    async def _recount(self) -> None:
        self._stale = False
        shelf, tag = self.shelf, self.tag
        counts = {name: await self._vault.sessions.count(name) for name, _ in SHELVES}
        count = counts[shelf] if tag is None else await self._vault.sessions.count(shelf, tag)
        if self._vault.state != "open" or (shelf, tag) != (self.shelf, self.tag):
            return
        line = self._pages.line(self._lines.chosen)
        self._pages.expire(count)
        self.known = True
        self._counted(counts)
        first, last = self._lines.first_in_view, self._lines.last_in_view
        while (page := self._pages.missing(first, last)) is not None and not self._stale:
            await self._pages.load(page, self._fetch)
        # The choice stays with its conversation, wherever that stands now.
        place = self._pages.place_of(line.id, first, last) if line is not None else None
        self._lines.show(self._pages.count, place)
        self._shown()

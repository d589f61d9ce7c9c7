"""Reading what the list shows: counts, the pages in view, the conversation on which the choice rests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from textual import events, on

from app.tui.row_list import RowList
from app.tui.unlock.notice import ProtectionNotice
from app.vault.records import SearchHit, SessionLine

from .deeds import SessionDeeds
from .empty import empty_words
from .hit_list import HitList
from .pages import PAGE, Pages
from .preview import Preview
from .session_list import SessionList
from .shelf_bar import SHELVES, ShelfBar

if TYPE_CHECKING:
    from app.vault.sessions import Shelf
    from app.vault.vault import Vault

WIDE = 110
"""Columns from which there is room for a preview."""

_LOOKING_PAUSE = 0.12
"""Seconds on one row before its preview is read."""

_AHEAD = PAGE // 2
_CLOCK_SECONDS = 30.0
_GUARD_SECONDS = 0.5


class SessionReading(SessionDeeds):
    """A pane whose list follows the vault and the reader; it never waits for either."""

    def __init__(self, vault: Vault, clock: Callable[[], float], *, id: str) -> None:
        super().__init__(vault, id=id)
        self._clock = clock
        self._pages = Pages()
        self._shelf: Shelf = "current"
        self._only_tag: str | None = None
        self._stale = True
        self._known = False
        self._wake = asyncio.Event()
        self._looked = asyncio.Event()
        self._previewed: tuple[str, str | None] | None = None
        self._offered = False
        self._pondering = False
        """Whether memory is being asked what was said in other words."""
        # Until the width is known: what does not fit is not painted first and taken away again.
        self.add_class("-narrow")

    def on_mount(self) -> None:
        """Reads the first page, and goes on reading whatever comes into view."""
        self.do(self._keep_up(), "list", exclusive=True)
        self.do(self._keep_looking(), "preview", exclusive=True)
        self.set_interval(_CLOCK_SECONDS, self._hour_passes)
        self.set_interval(_GUARD_SECONDS, self._guard)
        self._show_emptiness()

    def reload(self) -> None:
        """Shows what the vault holds now: after it was unlocked, or after another part changed something."""
        self._stale = True
        self._previewed = None
        self._wake.set()

    def clear(self) -> None:
        """Forgets everything that was read: the vault is being locked."""
        for group in ("deeds", "import"):
            self.app.workers.cancel_group(self, group)
        # A notice may name a conversation, or a file that is called like one.
        self.app.clear_notifications()
        self._pages.clear()
        self._undoing.clear()
        self._only_tag, self._shelf, self._known, self._previewed = None, "current", False, None
        self.query_one(SessionList).forget()
        self.query_one(HitList).forget()
        self.query_one(Preview).forget()
        bar = self.query_one(ShelfBar)
        bar.counts, bar.note, bar.shelf = {}, "", "current"
        self._show_emptiness()

    def shown(self) -> None:
        """Reads again."""
        self.reload()

    async def vault_opened(self, vault: Vault) -> None:
        """Reads what is there."""
        self.reload()

    async def vault_closing(self) -> None:
        """Forgets it."""
        self.clear()

    def session_changed(self) -> None:
        """Reads again, when it can be seen."""
        if self.display:
            self.reload()

    @property
    def remembered_words(self) -> str:
        """How far memory is, while it has much to do."""
        return ""

    def _guard(self) -> None:
        """What was still being read while the vault was locked is forgotten too; what guards it may have changed."""
        self.query_one(ShelfBar).aside = self.remembered_words
        if self._vault.state == "open":
            self.query_one(ProtectionNotice).show_protection(self._vault.protection)
        elif self._pages.count or self._previewed:
            self.clear()

    # What is chosen

    @property
    def _searching(self) -> bool:
        return self.has_class("-searching")

    @property
    def _rows(self) -> RowList:
        return self.query_one(HitList) if self._searching else self.query_one(SessionList)

    @property
    def _chosen(self) -> tuple[str, str | None] | None:
        """The chosen conversation, and the message that was found in it."""
        if self._searching:
            hit = self.query_one(HitList).hit
            if isinstance(hit, SearchHit):
                return hit.session_id, hit.node_id
            return None if hit is None else (hit.id, None)
        line = self._pages.line(self.query_one(SessionList).chosen)
        return None if line is None else (line.id, None)

    @property
    def chosen_id(self) -> str | None:
        """The chosen conversation."""
        chosen = self._chosen if self.is_mounted else None
        return None if chosen is None else chosen[0]

    # Keeping up with the vault and with the reader

    async def _keep_up(self) -> None:
        """One reader of the list for as long as the pane lives, so that reads never overtake one another."""
        while True:
            await self._reported(self._catch_up())
            await self._wake.wait()

    async def _catch_up(self) -> None:
        self._wake.clear()
        if self._vault.state != "open":
            self._show_emptiness()
            return
        rows = self.query_one(SessionList)
        while self._stale or self._wanted(rows) is not None:
            if self._stale:
                await self._recount(rows)
            page = self._wanted(rows)
            if page is not None:
                await self._pages.load(page, self._fetch)
                rows.refresh()
        self._look()
        self.refresh_bindings()

    def _wanted(self, rows: SessionList) -> int | None:
        first, last = rows.first_in_view, rows.last_in_view
        here = self._pages.missing(first, last)
        return here if here is not None else self._pages.missing(first - _AHEAD, last + _AHEAD)

    async def _fetch(self, offset: int, limit: int) -> tuple[SessionLine, ...]:
        return await self._vault.sessions.lines(offset, limit, shelf=self._shelf, tag=self._only_tag)

    async def _recount(self, rows: SessionList) -> None:
        self._stale = False
        shelf, tag = self._shelf, self._only_tag
        counts = {name: await self._vault.sessions.count(name) for name, _ in SHELVES}
        count = counts[shelf] if tag is None else await self._vault.sessions.count(shelf, tag)
        if self._vault.state != "open" or (shelf, tag) != (self._shelf, self._only_tag):
            return
        line = self._pages.line(rows.chosen)
        self._pages.expire(count)
        self._known = True
        bar = self.query_one(ShelfBar)
        bar.counts, bar.shelf = counts, shelf
        self.query_one(ProtectionNotice).show_protection(self._vault.protection)
        first, last = rows.first_in_view, rows.last_in_view
        while (page := self._pages.missing(first, last)) is not None and not self._stale:
            await self._pages.load(page, self._fetch)
        place = self._pages.place_of(line.id, first, last) if line is not None else None
        rows.show(self._pages.count, place)
        self._show_emptiness()

    @on(RowList.Moved)
    def _moved(self, event: RowList.Moved) -> None:
        event.stop()
        if isinstance(event.rows, SessionList) and self._wanted(event.rows) is not None:
            self._wake.set()
        self._look()
        self._offer_keys()

    def _offer_keys(self) -> None:
        """The keys change when there is a chosen row at last, or none any more: not with every step."""
        if self._offered != (self.chosen_id is not None):
            self._offered = not self._offered
            self.refresh_bindings()

    def _hour_passes(self) -> None:
        if self.display:
            self._rows.refresh()

    def on_resize(self, event: events.Resize) -> None:
        """A preview only where there is room for it."""
        self.set_class(event.size.width < WIDE - 2, "-narrow")
        self._look()

    # The preview

    def _look(self) -> None:
        chosen = self._chosen
        if self.has_class("-narrow") or chosen == self._previewed:
            return
        self._previewed = chosen
        self._looked.set()

    async def _keep_looking(self) -> None:
        """Reads the conversation on which the choice rests; one that it only passes is not read."""
        while True:
            await self._looked.wait()
            self._looked.clear()
            await asyncio.sleep(_LOOKING_PAUSE)
            if not self._looked.is_set():
                await self._reported(self._show_preview())

    async def _show_preview(self) -> None:
        wanted = self._previewed
        if wanted is None:
            self.query_one(Preview).forget()
            return
        whole = await self._vault.sessions.load(wanted[0])
        # The choice may have moved on meanwhile, or the vault been locked.
        if wanted == self._previewed and self._vault.state == "open":
            self.query_one(Preview).show_session(whole, wanted[1])

    # When there is nothing

    def _show_emptiness(self) -> None:
        """One helpful line in the place of a list that has nothing in it."""
        rows = self._rows
        nothing = not rows.count
        locked = self._vault.state != "open"
        empty = nothing and (locked or self._searching or self._known)
        self.set_class(empty, "-empty")
        instead = None
        if empty:
            instead = empty_words(
                self._shelf,
                locked=locked,
                searching=self._searching,
                pondering=self._pondering,
                tag=self._only_tag,
                key_of=self.key_of,
            )
        rows.say_instead(instead)

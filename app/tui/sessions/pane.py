"""The Sessions pane: the list of conversations, and a field that searches them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input

from app.tui import words
from app.tui.unlock.notice import ProtectionNotice
from app.vault.records import SearchHit, SessionLine

from .deeds import SessionDeeds
from .empty import empty_words
from .hit_list import HitList
from .pages import PAGE, Pages
from .preview import Preview
from .row_list import RowList
from .search_field import SearchField
from .session_list import SessionList
from .shelf_bar import SHELVES, ShelfBar

if TYPE_CHECKING:
    from app.vault.sessions import Shelf
    from app.vault.vault import Vault

WIDE = 110
"""Columns from which there is room for a preview."""

_TYPING_PAUSE = 0.06
"""Seconds without a key before a search begins."""

_LOOKING_PAUSE = 0.12
"""Seconds on one row before its preview is read."""

_HITS = 50
_AHEAD = PAGE // 2
_CLOCK_SECONDS = 30.0

_ON_CHOSEN = frozenset({"open", "pin", "tag", "rename", "archive", "delete", "export", "restore", "purge"})
_IN_BIN = frozenset({"restore", "purge"})
_OUT_OF_BIN = frozenset({"open", "pin", "tag", "rename", "archive", "delete"})


class SessionsPane(SessionDeeds):
    """Every conversation that is kept. The list is as long as it likes: what is not in view is not read."""

    HELP = """\
Every conversation that is kept in the vault. **Enter** opens the chosen one; **/** searches what was said and the
titles as you type, and opens a hit at its message. What is deleted lies in the bin until it is deleted there too.
"""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open", id="sessions.open"),
        Binding("slash", "search", "Search", key_display="/", id="sessions.search"),
        Binding("b", "restore", "Bring back", id="sessions.restore"),
        Binding("p", "pin", "Pin", id="sessions.pin"),
        Binding("t", "tag", "Tag", id="sessions.tag"),
        Binding("r", "rename", "Rename", id="sessions.rename"),
        Binding("a", "archive", "Archive", id="sessions.archive"),
        Binding("d,delete", "delete", "Delete", id="sessions.delete"),
        Binding("d,delete", "purge", "Delete for good", id="sessions.purge"),
        Binding("u", "undo", "Undo", id="sessions.undo"),
        Binding("e", "export", "Export", id="sessions.export"),
        Binding("i", "import", "Import", id="sessions.import"),
        Binding("tab", "shelf(1)", "Next shelf", id="sessions.next_shelf"),
        Binding("shift+tab", "shelf(-1)", "Previous shelf", show=False, id="sessions.previous_shelf"),
        Binding("n", "new", "New", id="sessions.new"),
        Binding("escape", "leave_search", "All", key_display="esc", id="sessions.leave_search"),
    ]

    class OpenWanted(Message):
        """The person wants to go on with a conversation, at a message or at its end."""

        def __init__(self, session_id: str, node_id: str | None) -> None:
            super().__init__()
            self.session_id = session_id
            self.node_id = node_id

    class NewWanted(Message):
        """The person wants to begin a conversation."""

    def __init__(self, vault: Vault, clock: Callable[[], float] = time.time) -> None:
        """``clock``: seconds since 1970, for "today" and "5 min"."""
        super().__init__(vault, id="sessions")
        self._clock = clock
        self._pages = Pages()
        self._shelf: Shelf = "current"
        self._only_tag: str | None = None
        self._words = ""
        self._stale = True
        self._wake = asyncio.Event()
        self._known = False
        self._previewed: tuple[str, str | None] | None = None
        self._found = ""
        # Until the width is known: what does not fit is not painted first and taken away again.
        self.add_class("-narrow")

    def compose(self) -> ComposeResult:
        """Shelves, the field, the list with the preview beside it."""
        yield ShelfBar()
        yield SearchField()
        with Horizontal(id="session-body"):
            yield SessionList(self._pages, self._clock)
            yield HitList(self._clock)
            yield Preview()
        yield ProtectionNotice()

    def on_mount(self) -> None:
        """Reads the first page, and goes on reading whatever comes into view."""
        self.do(self._keep_up(), "list", exclusive=True)
        self.set_interval(_CLOCK_SECONDS, self._hour_passes)
        self._show_emptiness()

    def take_focus(self) -> None:
        """Puts the keys to the list."""
        self._rows.focus()

    def reload(self) -> None:
        """Shows what the vault holds now: after it was unlocked, or after another part changed something."""
        self._stale = True
        self._previewed = None
        self._wake.set()
        if self._words:
            self._start_search()

    def clear(self) -> None:
        """Forgets everything that was read, and everything that was typed: the vault is being locked."""
        for group in ("search", "preview", "deeds", "import"):
            self.app.workers.cancel_group(self, group)
        self._pages.clear()
        self._undoing.clear()
        self._words = self._found = ""
        self._only_tag, self._shelf, self._known = None, "current", False
        self._previewed = None
        with self.prevent(Input.Changed):
            self.query_one(SearchField).value = ""
        self.query_one(SessionList).forget()
        self.query_one(HitList).forget()
        self.query_one(Preview).forget()
        bar = self.query_one(ShelfBar)
        bar.counts, bar.note, bar.shelf = {}, "", "current"
        self.remove_class("-searching")
        self._show_emptiness()

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
        if chosen is None:
            self.query_one(Preview).forget()
        else:
            self.do(self._show_preview(*chosen), "preview", exclusive=True)

    async def _show_preview(self, session_id: str, node_id: str | None) -> None:
        await asyncio.sleep(_LOOKING_PAUSE)
        whole = await self._vault.sessions.load(session_id)
        self.query_one(Preview).show_session(whole, node_id)

    # Searching

    @on(Input.Changed, "#session-search")
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._words = event.value.strip()
        if self._words and not self._words.startswith("#"):
            self._start_search()
            return
        self.app.workers.cancel_group(self, "search")
        if not self._words:
            self.query_one(ShelfBar).note = ""
        self.query_one(HitList).forget()
        self._found = ""
        self.remove_class("-searching")
        self._show_tag(self._words[1:].strip())

    def _start_search(self) -> None:
        if self._words.startswith("#"):
            return
        self.do(self._search(self._words, pause=_TYPING_PAUSE), "search", exclusive=True)

    async def _search(self, wanted: str, pause: float) -> None:
        """Cancelled by the next key, which also stops the query in the vault."""
        await asyncio.sleep(pause)
        titles, messages = await asyncio.gather(
            self._vault.search.sessions(wanted, 10), self._vault.search.messages(wanted, _HITS)
        )
        self.query_one(ShelfBar).note = _found_words(len(titles), len(messages))
        self.add_class("-searching")
        hits = self.query_one(HitList)
        hits.show_hits((*titles, *messages), hits.chosen if wanted == self._found else 0)
        self._found = wanted
        self._give_keys()
        self._show_emptiness()
        self._look()
        self.refresh_bindings()

    def _show_tag(self, tag: str) -> None:
        self.do(self._find_tag(tag), "search", exclusive=True)

    async def _find_tag(self, written: str) -> None:
        tag = None
        if written:
            await asyncio.sleep(_TYPING_PAUSE)
            known = [name for name, _ in await self._vault.sessions.tags()]
            folded = written.casefold()
            tag = next((name for name in known if name.casefold() == folded), None)
            tag = tag or next((name for name in known if name.casefold().startswith(folded)), written)
        if tag != self._only_tag:
            self._only_tag = tag
            self._begin_shelf()
        self.query_one(ShelfBar).note = "" if tag is None else f"only #{tag}"
        self._give_keys()
        self._show_emptiness()

    @on(SearchField.Moved)
    def _move(self, event: SearchField.Moved) -> None:
        self._rows.action_step(event.step)

    @on(SearchField.Left)
    def _field_left(self) -> None:
        self._rows.focus()

    @on(events.DescendantFocus)
    @on(events.DescendantBlur)
    def _give_keys(self) -> None:
        """While one types in the field its arrow keys move through the list, which looks as if it had the focus."""
        typing = self.query_one(SearchField).has_focus
        for rows in self.query(RowList):
            rows.set_class(typing and bool(self._words), "-active")

    def action_search(self) -> None:
        """Goes to the field."""
        self.query_one(SearchField).focus()

    def action_leave_search(self) -> None:
        """Empties the field: the whole list again."""
        self.query_one(SearchField).value = ""
        self.query_one(SessionList).focus()

    # Shelves

    def action_shelf(self, step: int) -> None:
        """Shows the next shelf."""
        names = [name for name, _ in SHELVES]
        self._show_shelf(names[(names.index(self._shelf) + step) % len(names)])

    @on(ShelfBar.Chosen)
    def _shelf_clicked(self, event: ShelfBar.Chosen) -> None:
        self._show_shelf(event.shelf)

    def _show_shelf(self, shelf: Shelf) -> None:
        if self._searching:
            self.action_leave_search()
        self._shelf = shelf
        self.query_one(ShelfBar).shelf = shelf
        self._begin_shelf()
        self.query_one(SessionList).focus()

    def _begin_shelf(self) -> None:
        self._pages.clear()
        self._known = False
        self.query_one(SessionList).forget()
        self.reload()
        self.refresh_bindings()

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
                self._shelf, locked=locked, searching=self._searching, tag=self._only_tag, key_of=self.key_of
            )
        rows.say_instead(instead)

    # Going there

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only keys that would do something here and now."""
        if not self.is_mounted:
            return True
        if self._vault.state != "open":
            return action not in _ON_CHOSEN | {"undo", "import", "shelf", "search", "leave_search"}
        in_bin = self._shelf == "bin" and not self._searching
        if (action in _IN_BIN and not in_bin) or (action in _OUT_OF_BIN and in_bin):
            return False
        if action in _ON_CHOSEN:
            return self.chosen_id is not None
        if action == "undo":
            return self.can_undo
        if action == "search":
            return not self.query_one(SearchField).has_focus
        if action == "leave_search":
            return bool(self._words)
        return True

    @on(RowList.Taken)
    def _taken(self, event: RowList.Taken) -> None:
        event.stop()
        self._open()

    @on(Input.Submitted, "#session-search")
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._open()

    def action_open(self) -> None:
        """Goes on with the chosen conversation."""
        self._open()

    def _open(self) -> None:
        chosen = self._chosen
        if chosen is None:
            return
        if self._shelf == "bin" and not self._searching:
            self._say(f"It lies in the bin: {self.key_of('sessions.restore')} brings it back.")
        else:
            self.post_message(self.OpenWanted(*chosen))

    def action_new(self) -> None:
        """Begins a conversation."""
        self.post_message(self.NewWanted())


def _found_words(titles: int, messages: int) -> str:
    found = [words.plural(titles, "title")] if titles else []
    if messages:
        found.append(f"the {messages} latest messages" if messages == _HITS else words.plural(messages, "message"))
    return " · ".join(found)

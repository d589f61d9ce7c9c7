"""Searching as one types, and what the field does with the list below it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from textual import events, on
from textual.widgets import Input

from app.tui import words
from app.tui.row_list import RowList

from .hit_list import HitList
from .reading import SessionReading
from .search_field import SearchField
from .session_list import SessionList, tag_words
from .shelf_bar import ShelfBar

if TYPE_CHECKING:
    from app.vault.vault import Vault

_TYPING_PAUSE = 0.06
"""Seconds without a key before a search begins."""

_TITLES, _MESSAGES = 10, 50


class SessionSearching(SessionReading):
    """A pane with a field: words search messages and titles, ``#`` shows the conversations with a tag."""

    def __init__(self, vault: Vault, clock: Callable[[], float], *, id: str) -> None:
        super().__init__(vault, clock, id=id)
        self._words = ""
        self._found = ""
        self._open_when_found = False

    def open_chosen(self) -> None:
        """Goes on with the chosen conversation."""

    def begin_shelf(self) -> None:
        """Shows the beginning of the shelf in use."""
        self._pages.clear()
        self._known = False
        self.query_one(SessionList).forget()
        self.reload()
        self.refresh_bindings()

    def reload(self) -> None:
        """Shows what the vault holds now: after it was unlocked, or after another part changed something."""
        super().reload()
        if self._words:
            self._start_search()

    def clear(self) -> None:
        """Forgets everything that was read, and everything that was typed: the vault is being locked."""
        self.app.workers.cancel_group(self, "search")
        self._words = self._found = ""
        with self.prevent(Input.Changed):
            self.query_one(SearchField).value = ""
        self.remove_class("-searching")
        super().clear()

    @on(Input.Changed, "#session-search")
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._words = event.value.strip()
        self._open_when_found = False
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
            self._vault.search.sessions(wanted, _TITLES), self._vault.search.messages(wanted, _MESSAGES)
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
        if self._open_when_found:
            self._open_when_found = False
            self.open_chosen()

    @on(Input.Submitted, "#session-search")
    def _submitted(self, event: Input.Submitted) -> None:
        """Enter may come before the hits of the last letters: then it waits for them."""
        event.stop()
        if self._words and not self._words.startswith("#") and self._words != self._found:
            self._open_when_found = True
        else:
            self.open_chosen()

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
            self.begin_shelf()
        self.query_one(ShelfBar).note = "" if tag is None else f"only {tag_words(tag)}"
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


def _found_words(titles: int, messages: int) -> str:
    found = [words.plural(titles, "title")] if titles else []
    if messages:
        found.append(f"the {messages} latest messages" if messages == _MESSAGES else words.plural(messages, "message"))
    return " · ".join(found)

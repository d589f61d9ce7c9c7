"""Searching as one types, and what the field does with the list below it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from textual import events, on
from textual.widgets import Input

from app.errors import PlaygroundError, VaultLockedError
from app.tui import words
from app.tui.row_list import RowList
from app.vault.records import SearchHit

from .hit_list import HitList
from .reading import SessionReading
from .search_field import SearchField
from .session_list import SessionList, tag_words
from .shelf_bar import ShelfBar

if TYPE_CHECKING:
    from app.memory.recall import Recalled
    from app.vault.vault import Vault

_TYPING_PAUSE = 0.06
"""Seconds without a key before a search begins."""

_MEANING_PAUSE = 0.24
"""Further seconds without a key before memory is asked too: it loads a model the first time."""

_TITLES, _MESSAGES, _MEANT = 10, 50, 8
_LOOKED_AT = 20
_NEAREST, _NEAREST_COSINE = 3, 0.2
_LEAST_LETTERS = 3
_MOST_OF_A_TEXT = 300


class Memories(Protocol):
    """Memory, as far as this pane needs it: ``app.tui.memory_desk.MemoryDesk``."""

    @property
    def ready(self) -> bool:
        """Whether it can be asked: it is on, its model is here, and the vault is open."""
        ...

    @property
    def remembering(self) -> tuple[int, int] | None:
        """How many texts of how many are embedded, while there is much to do."""
        ...

    async def search(self, words: str, limit: int) -> tuple[Recalled, ...]:
        """See ``app.memory.memory.Memory.search``."""
        ...


class SessionSearching(SessionReading):
    """A pane with a field: words search messages and titles, ``#`` shows the conversations with a tag.

    What was said in other words joins a moment later, where there is a memory.
    """

    def __init__(self, vault: Vault, clock: Callable[[], float], memory: Memories | None = None, *, id: str) -> None:
        super().__init__(vault, clock, id=id)
        self._memory = memory
        self._words = ""
        self._found = ""
        self._open_when_found = False

    @property
    def remembered_words(self) -> str:
        """How far memory is, while it has much to do."""
        progress = self._memory.remembering if self._memory is not None else None
        return f"remembering {words.count(progress[0])} of {words.count(progress[1])}" if progress else ""

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
        self._pondering = False
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
        self._found, self._pondering = "", False
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
        again = wanted == self._found
        self._pondering = self._memory is not None and self._memory.ready and len(wanted) >= _LEAST_LETTERS
        # Searched again because something was said: what was meant stays until it is known anew.
        hits.show_hits((*titles, *messages), hits.chosen if again else 0, hits.meant if again else ())
        self._found = wanted
        self._show_found()
        if titles or messages or not self._pondering:
            self._open_when_wanted()
        if self._pondering:
            await asyncio.sleep(_MEANING_PAUSE)
            recalled = await self._recalled(wanted, {hit.node_id for hit in messages})
            self._pondering = False
            meant = [each for each in recalled or () if each.fits][:_MEANT]
            unsure = not (titles or messages or meant)
            if unsure:
                # Nothing else was found: what comes nearest is better than nothing, and says what it is.
                meant = [each for each in recalled or () if each.cosine >= _NEAREST_COSINE][:_NEAREST]
            self.query_one(ShelfBar).note = _found_words(
                len(titles), len(messages), 0 if unsure else len(meant), alone=recalled is None
            )
            hits.join(tuple(map(_hit, meant)), unsure=unsure)
            self._show_found()
            self._open_when_wanted()

    def _open_when_wanted(self) -> None:
        if self._open_when_found:
            self._open_when_found = False
            self.open_chosen()

    def _show_found(self) -> None:
        self.query_one(SearchField).other_words = self.query_one(HitList).can_turn
        self._give_keys()
        self._show_emptiness()
        self._look()
        self.refresh_bindings()

    async def _recalled(self, wanted: str, known: set[str]) -> list[Recalled] | None:
        """Messages that memory finds besides those with the words; None where it cannot be asked now."""
        assert self._memory is not None
        try:
            recalled = await self._memory.search(wanted, _LOOKED_AT)
        except VaultLockedError:
            raise
        except PlaygroundError:
            # What was found by words is there; above it stands that this is all, and that is enough.
            return None
        return [each for each in recalled if each.session_id and each.source_id not in known]

    @on(Input.Submitted, "#session-search")
    def _submitted(self, event: Input.Submitted) -> None:
        """Enter may come before the hits of the last letters: then it waits for them."""
        event.stop()
        looking = self._words != self._found or (self._pondering and self._chosen is None)
        if self._words and not self._words.startswith("#") and looking:
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

    @on(SearchField.Turned)
    def action_turn(self) -> None:
        """Goes to what was said in other words, and back."""
        if self._searching:
            self.query_one(HitList).turn()

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


def _found_words(titles: int, messages: int, meant: int = 0, *, alone: bool = False) -> str:
    found = [words.plural(titles, "title")] if titles else []
    if messages:
        found.append(f"the {messages} latest messages" if messages == _MESSAGES else words.plural(messages, "message"))
    if meant:
        found.append(f"{meant} in other words")
    elif alone:
        found.append("by words alone")
    return " · ".join(found)


def _hit(recalled: Recalled) -> SearchHit:
    return SearchHit(
        session_id=recalled.session_id,
        session_title=recalled.title,
        node_id=recalled.source_id,
        role=recalled.role,
        created_at=recalled.date,
        excerpt=" ".join(recalled.text[:_MOST_OF_A_TEXT].split()),
    )

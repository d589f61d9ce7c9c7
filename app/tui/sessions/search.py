"""Searching as one types: words find titles and messages, ``#`` the conversations with a tag."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from app.tui import words

if TYPE_CHECKING:
    from app.tui.surroundings import Surroundings
    from app.vault.vault import Vault

    from .hit_list import HitList
    from .other_words import OtherWords
    from .selection import Selection

_TYPING_PAUSE = 0.06
"""Seconds without a key before a search begins."""

_MEANING_PAUSE = 0.24
"""Further seconds without a key before memory is asked too: it loads a model the first time."""

_TITLES, _MESSAGES = 10, 50
_WORKERS = "search"


class Results(Protocol):
    """Where it is shown what was found: ``app.tui.sessions.listing.Listing``."""

    @property
    def hits(self) -> HitList:
        """The list of hits."""
        ...

    @property
    def selection(self) -> Selection:
        """What is in front, and what is chosen in it."""
        ...

    def show_tag(self, tag: str | None) -> None:
        """Shows only the lines with a tag; ``None`` for all."""
        ...

    def note(self, words: str) -> None:
        """Says above the list what was found."""
        ...


class Search:
    """What is looked for, and how far that is. What was said in other words joins a moment later."""

    def __init__(
        self,
        vault: Vault,
        other_words: OtherWords,
        listing: Results,
        around: Surroundings,
        *,
        found: Callable[[], None],
        open_chosen: Callable[[], None],
    ) -> None:
        """``found``: something else is shown now; ``open_chosen``: the person pressed Enter."""
        self._vault, self._other_words, self._listing, self._around = vault, other_words, listing, around
        self._hits, self._selection = listing.hits, listing.selection
        self._found, self._open_chosen = found, open_chosen
        self.words = ""
        """What is looked for now."""
        self.shown = ""
        """What the hits that are shown were found for."""
        self._open_when_found = False

    @property
    def _for_tag(self) -> bool:
        return self.words.startswith("#")

    def type(self, written: str) -> None:
        """Something else stands in the field."""
        self.words = written.strip()
        self._open_when_found = False
        if self.words and not self._for_tag:
            self.again()
            return
        self._around.stop(_WORKERS)
        if not self.words:
            self._listing.note("")
        self._drop_hits()
        self._around.do(self._find_tag(self.words[1:].strip()), _WORKERS, exclusive=True)

    def again(self) -> None:
        """Searches for the same words, among what the vault holds now."""
        if self.words and not self._for_tag:
            self._around.do(self._search(self.words), _WORKERS, exclusive=True)

    def submit(self) -> None:
        """Opens the chosen hit. Enter may come before the hits of the last letters: then it waits for them."""
        looking = self.words != self.shown or (self._hits.pondering and self._selection.chosen is None)
        if self.words and not self._for_tag and looking:
            self._open_when_found = True
        else:
            self._open_chosen()

    def forget(self) -> None:
        """Stops, and keeps nothing of what was typed or found."""
        self._around.stop(_WORKERS)
        self.words = ""
        self._open_when_found = False
        self._drop_hits()

    def _drop_hits(self) -> None:
        self._hits.forget()
        self.shown = ""
        self._selection.of_hits = False

    async def _search(self, wanted: str) -> None:
        """Cancelled by the next key, which also stops the query in the vault."""
        await asyncio.sleep(_TYPING_PAUSE)
        titles, messages = await asyncio.gather(
            self._vault.search.sessions(wanted, _TITLES), self._vault.search.messages(wanted, _MESSAGES)
        )
        self._listing.note(_found_words(len(titles), len(messages)))
        self._selection.of_hits = True
        hits = self._hits
        again = wanted == self.shown
        hits.pondering = self._other_words.can_find(wanted)
        # Searched again because something was said: what was meant stays until it is known anew.
        hits.show_hits((*titles, *messages), hits.chosen if again else 0, hits.meant if again else ())
        self.shown = wanted
        self._found()
        nothing = not (titles or messages)
        if not (nothing and hits.pondering):
            self._open_when_wanted()
        if hits.pondering:
            await asyncio.sleep(_MEANING_PAUSE)
            meaning = await self._other_words.find(wanted, messages, alone=nothing)
            hits.pondering = False
            if meaning is None:
                self._listing.note(_found_words(len(titles), len(messages), alone=True))
                hits.join(())
            else:
                sure = 0 if meaning.unsure else len(meaning.hits)
                self._listing.note(_found_words(len(titles), len(messages), sure))
                hits.join(meaning.hits, unsure=meaning.unsure)
            self._found()
            self._open_when_wanted()

    def _open_when_wanted(self) -> None:
        if self._open_when_found:
            self._open_when_found = False
            self._open_chosen()

    async def _find_tag(self, written: str) -> None:
        tag = None
        if written:
            await asyncio.sleep(_TYPING_PAUSE)
            known = [name for name, _ in await self._vault.sessions.tags()]
            folded = written.casefold()
            tag = next((name for name in known if name.casefold() == folded), None)
            tag = tag or next((name for name in known if name.casefold().startswith(folded)), written)
        self._listing.show_tag(tag)
        self._found()


def _found_words(titles: int, messages: int, meant: int = 0, *, alone: bool = False) -> str:
    """``alone``: memory could not be asked."""
    found = [words.plural(titles, "title")] if titles else []
    if messages:
        found.append(f"the {messages} latest messages" if messages == _MESSAGES else words.plural(messages, "message"))
    if meant:
        found.append(f"{meant} in other words")
    elif alone:
        found.append("by words alone")
    return " · ".join(found)

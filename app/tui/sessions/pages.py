"""The lines of a shelf, fetched a page at a time, so that fifty thousand cost what fifty do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from app.vault.conversations.records import SessionLine

PAGE = 100
"""Lines in a page: a read of them takes about a millisecond, and fills the tallest terminal."""

KEPT = 60
"""Pages kept at most; those farthest from the reader are let go."""

Fetch = Callable[[int, int], Awaitable[tuple[SessionLine, ...]]]
"""Gives the lines from an offset on, at most so many."""


class Pages:
    """What is known of a long list. ``line`` answers at once; ``load`` brings what is missing near a place.

    After ``expire`` the old lines are still answered, so that nothing flickers, until ``load`` has brought new ones.
    """

    def __init__(self) -> None:
        self.count = 0
        self._pages: dict[int, tuple[int, tuple[SessionLine, ...]]] = {}
        self._edition = 0

    def line(self, place: int) -> SessionLine | None:
        """The line at ``place``; None while it is not known."""
        page, row = divmod(place, PAGE)
        found = self._pages.get(page)
        return found[1][row] if found is not None and row < len(found[1]) else None

    def place_of(self, session_id: str, first: int, last: int) -> int | None:
        """Where a session stands between two places, if that is known."""
        for place in range(max(0, first), min(last, self.count - 1) + 1):
            line = self.line(place)
            if line is not None and line.id == session_id:
                return place
        return None

    def missing(self, first: int, last: int) -> int | None:
        """The number of a page that places ``first`` to ``last`` need, nearest to ``first``; None when all are here."""
        if self.count == 0:
            return None
        for page in range(max(0, first) // PAGE, min(last, self.count - 1) // PAGE + 1):
            found = self._pages.get(page)
            if found is None or found[0] != self._edition:
                return page
        return None

    async def load(self, page: int, fetch: Fetch) -> None:
        """Brings a page, and lets go of one far from it when there are many."""
        edition = self._edition
        lines = await fetch(page * PAGE, PAGE)
        if edition != self._edition:
            # The list changed meanwhile, or is another shelf's by now.
            return
        self._pages[page] = (edition, lines)
        while len(self._pages) > KEPT:
            del self._pages[max(self._pages, key=lambda other: abs(other - page))]

    def expire(self, count: int) -> None:
        """Something changed: there are ``count`` lines now, and every page is to be fetched again when it is needed."""
        self.count = count
        self._edition += 1

    def clear(self) -> None:
        """Forgets everything."""
        self.count = 0
        self._pages.clear()
        self._edition += 1

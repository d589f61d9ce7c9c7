"""Which of the two lists is in front, and what is chosen in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from app.vault.conversations.records import SearchHit

if TYPE_CHECKING:
    from app.tui.row_list import RowList

    from .hit_list import HitList
    from .pages import Pages
    from .session_list import SessionList

Chosen = tuple[str, str | None]
"""A conversation, and the message that was found in it."""


class Selection:
    """The lines of a shelf, or in their place the hits of a search."""

    def __init__(self, lines: SessionList, pages: Pages, hits: HitList, turned: Callable[[bool], object]) -> None:
        """``pages``: what ``lines`` shows; ``turned``: is told whether the hits are in front, before they are."""
        self._lines, self._pages, self._hits, self._turned = lines, pages, hits, turned
        self._of_hits = False

    @property
    def of_hits(self) -> bool:
        """Whether what a search found is in front."""
        return self._of_hits

    @of_hits.setter
    def of_hits(self, of_hits: bool) -> None:
        self._turned(of_hits)
        self._of_hits = of_hits

    @property
    def rows(self) -> RowList:
        """The list in front."""
        return self._hits if self._of_hits else self._lines

    @property
    def chosen(self) -> Chosen | None:
        """The chosen conversation, and the message that was found in it."""
        if not self._of_hits:
            line = self._pages.line(self._lines.chosen)
            return None if line is None else (line.id, None)
        hit = self._hits.hit
        if isinstance(hit, SearchHit):
            return hit.session_id, hit.node_id
        return None if hit is None else (hit.id, None)

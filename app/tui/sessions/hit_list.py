"""What a search found: conversations by their title, then messages with the words around the match."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import ClassVar

from msgspec import Struct
from rich.cells import cell_len
from textual.content import Content

from app.privacy.terminal import clean
from app.tui import words
from app.tui.row_list import RowList
from app.vault.records import SearchHit, SessionLine

from . import dates
from .session_list import cut, tag_words, title_words

_MARGIN = 4
_DATE = 11


class _Row(Struct, frozen=True):
    found: SessionLine | SearchHit
    ago: str


class HitList(RowList):
    """Two lines a hit: where it is, and what it says."""

    ROW_HEIGHT: ClassVar[int] = 2

    def __init__(self, clock: Callable[[], float]) -> None:
        """``clock``: seconds since 1970."""
        super().__init__(id="hit-list")
        self._clock = clock
        self.hits: tuple[SessionLine | SearchHit, ...] = ()

    def show_hits(self, hits: tuple[SessionLine | SearchHit, ...], chosen: int = 0) -> None:
        """Shows these, the one at ``chosen`` chosen."""
        self.hits = hits
        if chosen == 0:
            self.scroll_to(y=0, animate=False, force=True)
        self.show(len(hits), chosen)

    def forget(self) -> None:
        """Shows nothing, and keeps nothing."""
        self.hits = ()
        super().forget()

    @property
    def hit(self) -> SessionLine | SearchHit | None:
        """The chosen one."""
        return self.hits[self.chosen] if self.chosen < len(self.hits) else None

    def row(self, place: int) -> Hashable:
        """The hit, and when it was."""
        found = self.hits[place]
        at = found.updated_at if isinstance(found, SessionLine) else found.created_at
        return _Row(found, dates.ago(at, self._clock()))

    def paint(self, row: Hashable, line: int, width: int) -> Content:
        """The upper line names the conversation, the lower one shows the match."""
        assert isinstance(row, _Row)
        found = row.found
        if line == 0:
            title, colour = title_words(found.title if isinstance(found, SessionLine) else found.session_title)
            title = cut(title, width - _MARGIN - _DATE - 2)
            gap = " " * max(1, width - _MARGIN - cell_len(title) - _DATE - 2)
            style = f"bold {colour}" if isinstance(found, SessionLine) else colour
            mark = "◆" if isinstance(found, SessionLine) else " "
            return Content.assemble(
                (f"  {mark} ", "$primary"), (title, style), gap, (f"{row.ago:>{_DATE}}", "$text-muted")
            )
        if isinstance(found, SessionLine):
            return Content.assemble(" " * _MARGIN, (_facts(found), "$text-muted"))
        return Content.assemble(" " * _MARGIN, (f"{speaker(found.role)}: ", "$text-muted"), excerpt_words(found))


def speaker(role: str) -> str:
    """Who spoke, in a word."""
    return {"user": "You", "assistant": "Model", "system": "Instructions", "tool": "Tool"}.get(role, _line(role))


def excerpt_words(hit: SearchHit) -> Content:
    """The excerpt with its matches in colour. It is cleaned between the marks, which count uncleaned characters."""
    pieces: list[tuple[str, str]] = []
    done = 0
    for start, end in hit.marks:
        pieces += [
            (_line(hit.excerpt[done:start]), "$text-muted"),
            (_line(hit.excerpt[start:end]), "bold underline $accent"),
        ]
        done = end
    pieces.append((_line(hit.excerpt[done:]), "$text-muted"))
    return Content.assemble(*pieces)


def _line(text: str) -> str:
    return clean(text).replace("\n", " ").replace("\t", " ")


def _facts(line: SessionLine) -> str:
    facts = ["by its title", words.plural(line.messages, "message")]
    if line.archived:
        facts.append("archived")
    return " · ".join(facts + [tag_words(tag) for tag in line.tags])

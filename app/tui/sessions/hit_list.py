"""What a search found: conversations by their title, messages with the words around the match, then what was meant."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import ClassVar

from msgspec import Struct
from rich.cells import cell_len
from textual.content import Content

from app.tui import dates, words
from app.tui.row_list import RowList
from app.vault.conversations.records import SearchHit, SessionLine

from .excerpts import marked_pieces, one_line
from .tags import tag_words
from .titles import title_words

_MARGIN = 4
_DATE = 11


class Heading(Struct, frozen=True):
    """Stands above the messages that say it in other words, and cannot be chosen.

    Attributes:
        alone: whether nothing stands above it: no message holds the words themselves.
        unsure: whether what stands below only comes nearest, and fits no better than much else.
    """

    alone: bool
    unsure: bool = False


class Meant(Struct, frozen=True):
    """A message that memory found: it means what was searched for, or holds some of the words."""

    hit: SearchHit


Found = SessionLine | SearchHit | Heading | Meant


class _Row(Struct, frozen=True):
    found: Found
    ago: str = ""


class HitList(RowList):
    """Two lines a hit: where it is, and what it says."""

    ROW_HEIGHT: ClassVar[int] = 2

    def __init__(self, clock: Callable[[], float]) -> None:
        """``clock``: seconds since 1970."""
        super().__init__(id="hit-list")
        self._clock = clock
        self.hits: tuple[Found, ...] = ()
        self.pondering = False
        """Whether memory is still being asked what was said in other words."""

    def show_hits(
        self, hits: tuple[SessionLine | SearchHit, ...], chosen: int = 0, meant: tuple[SearchHit, ...] = ()
    ) -> None:
        """Shows these, the one at ``chosen`` chosen, and below them what says the same in other words."""
        if chosen == 0:
            self.scroll_to(y=0, animate=False, force=True)
        self.hits = hits
        self.chosen = chosen
        self.join(meant)

    def join(self, meant: tuple[SearchHit, ...], *, unsure: bool = False) -> None:
        """Shows these below the others, in the place of such ones. The choice and the view stay where they are.

        ``unsure``: they come nearest, but not near.
        """
        above = self.hits[: self.first_meant - 1] if self.first_meant else self.hits
        self.hits = (*above, Heading(not above, unsure), *map(Meant, meant)) if meant else above
        chosen = max(0, min(self.chosen, len(self.hits) - 1))
        if meant and chosen == len(above):
            chosen += 1  # the heading
        self.show(len(self.hits), chosen)

    @property
    def meant(self) -> tuple[SearchHit, ...]:
        """The hits in other words."""
        return tuple(found.hit for found in self.hits if isinstance(found, Meant))

    @property
    def first_meant(self) -> int:
        """The place of the first hit in other words; 0 when there is none."""
        place = next((place for place, found in enumerate(self.hits) if isinstance(found, Heading)), -1)
        return place + 1

    def forget(self) -> None:
        """Shows nothing, and keeps nothing."""
        self.hits, self.pondering = (), False
        super().forget()

    @property
    def hit(self) -> SessionLine | SearchHit | None:
        """The chosen one."""
        found = self.hits[self.chosen] if self.chosen < len(self.hits) else None
        return None if isinstance(found, Heading) else found.hit if isinstance(found, Meant) else found

    @property
    def can_turn(self) -> bool:
        """Whether there are hits of both kinds."""
        return self.first_meant > 1

    def turn(self) -> None:
        """Chooses the first hit in other words; from there, the first of all."""
        if self.can_turn:
            self._choose(0 if self.chosen >= self.first_meant else self.first_meant)

    def _choose(self, place: int) -> None:
        place = max(0, min(place, len(self.hits) - 1))
        if place < len(self.hits) and isinstance(self.hits[place], Heading):
            place += 1 if place >= self.chosen or place == 0 else -1
        super()._choose(place)
        if self.first_meant == self.chosen and (top := (self.chosen - 1) * self.ROW_HEIGHT) < self.scroll_offset.y:
            self.scroll_to(y=top, animate=False, force=True)  # with its heading

    def row(self, place: int) -> Hashable:
        """The hit, and when it was."""
        found = self.hits[place]
        if isinstance(found, Heading):
            return _Row(found)
        hit = found.hit if isinstance(found, Meant) else found
        at = hit.updated_at if isinstance(hit, SessionLine) else hit.created_at
        return _Row(found, dates.ago(at, self._clock()))

    def paint(self, row: Hashable, line: int, width: int) -> Content:
        """The upper line names the conversation, the lower one shows the match."""
        assert isinstance(row, _Row)
        found = row.found
        if isinstance(found, Heading):
            return _heading(found, line, width)
        hit = found.hit if isinstance(found, Meant) else found
        if line == 0:
            title, colour = title_words(hit.title if isinstance(hit, SessionLine) else hit.session_title)
            title = words.cut(title, width - _MARGIN - _DATE - 2)
            gap = " " * max(1, width - _MARGIN - cell_len(title) - _DATE - 2)
            style = f"bold {colour}" if isinstance(hit, SessionLine) else colour
            return Content.assemble((f"  {_mark(found)} ", "$primary"), (title, style), gap, _when(row.ago))
        if isinstance(hit, SessionLine):
            return Content.assemble(" " * _MARGIN, (_facts(hit), "$text-muted"))
        return Content.assemble(" " * _MARGIN, (f"{speaker(hit.role)}: ", "$text-muted"), excerpt_words(hit))


def _mark(found: Found) -> str:
    return "◆" if isinstance(found, SessionLine) else "≈" if isinstance(found, Meant) else " "


def _when(ago: str) -> tuple[str, str]:
    return f"{ago:>{_DATE}}", "$text-muted"


def _heading(heading: Heading, line: int, width: int) -> Content:
    if line == 0:
        return Content.styled(
            words.cut("    No message holds these words." if heading.alone else "", width), "$text-muted"
        )
    what = "Perhaps one of these" if heading.unsure else "In other words"
    return Content.styled(words.cut(f"  ≈ {what}", width), "$secondary")


def speaker(role: str) -> str:
    """Who spoke, in a word."""
    return {"user": "You", "assistant": "Model", "system": "Instructions", "tool": "Tool"}.get(role, one_line(role))


def excerpt_words(hit: SearchHit) -> Content:
    """The excerpt with its matches in colour."""
    return Content.assemble(*marked_pieces(hit.excerpt, hit.marks))


def _facts(line: SessionLine) -> str:
    facts = ["by its title", words.plural(line.messages, "message")]
    if line.archived:
        facts.append("archived")
    return " · ".join(facts + [tag_words(tag) for tag in line.tags])

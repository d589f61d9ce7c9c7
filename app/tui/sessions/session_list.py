"""The conversations of a shelf, one a line."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from msgspec import Struct
from rich.cells import cell_len
from textual.content import Content

from app.tui import dates, words
from app.tui.row_list import RowList
from app.vault.conversations.records import SessionLine

from .pages import Pages
from .tags import tag_words
from .titles import title_words

_MARGIN = 12
_DATE = 9
_COUNT = 7


class _Row(Struct, frozen=True):
    line: SessionLine | None
    group: str = ""
    ago: str = ""


class SessionList(RowList):
    """Group, pin, title, tags, date and number of messages. A line that is not known yet is a faint dash.

    The group stands in the margin, on its first line and on the first line in view: so every line has one height, and
    the place of the fifty-thousandth is known without the others.
    """

    def __init__(self, pages: Pages, clock: Callable[[], float]) -> None:
        """``clock``: seconds since 1970."""
        super().__init__(id="session-list")
        self._pages = pages
        self._clock = clock

    def row(self, place: int) -> Hashable:
        """The line, with the words that depend on its neighbour and on the hour."""
        line = self._pages.line(place)
        if line is None:
            return _Row(None)
        now = self._clock()
        group = _group(line, now)
        before = self._pages.line(place - 1) if place else None
        repeated = place != self.first_in_view and before is not None and _group(before, now) == group
        return _Row(line, "" if repeated else group, dates.ago(line.updated_at, now))

    def paint(self, row: Hashable, line: int, width: int) -> Content:
        """The row as a line of ``width`` cells."""
        assert isinstance(row, _Row)
        if row.line is None:
            return Content.assemble(" " * (_MARGIN + 2), ("–", "$text-disabled"))
        session = row.line
        room = max(10, width - _MARGIN - 2 - _DATE - _COUNT - 2)
        title, colour = title_words(session.title)
        every_tag = [tag_words(tag) for tag in session.tags]
        # A long title leaves a quarter of the line to the tags, a short one whatever it does not need.
        title = words.cut(title, max(room - cell_len(" ".join(every_tag)) - 2, room * 3 // 4) if every_tag else room)
        tags = _fitting(every_tag, room - cell_len(title) - 2)
        gap = room - cell_len(title) - cell_len(tags) - (2 if tags else 0) + 1
        messages = words.count(session.messages) if session.messages else "–"
        return Content.assemble(
            (f" {row.group:<{_MARGIN - 1}}", "$text-muted"),
            ("★ " if session.pinned else "  ", "$accent"),
            (title, colour),
            ("  " if tags else "", ""),
            (tags, "$secondary"),
            (" " * gap, ""),
            (f"{row.ago:>{_DATE}}", "$text-muted"),
            (f"{messages:>{_COUNT - 1}}  ", "$text-disabled"),
        )


def _fitting(tags: list[str], width: int) -> str:
    """As many whole tags as there is room for."""
    shown = ""
    for tag in tags:
        longer = f"{shown} {tag}".strip()
        if cell_len(longer) > width:
            break
        shown = longer
    return shown


def _group(line: SessionLine, now: float) -> str:
    return "Pinned" if line.pinned else dates.group(line.updated_at, now)

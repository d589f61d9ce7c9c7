"""The conversations of a shelf, one a line."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from msgspec import Struct
from rich.cells import cell_len, set_cell_size
from textual.content import Content

from app.privacy.terminal import clean
from app.tui import words
from app.tui.row_list import RowList
from app.vault.records import SessionLine

from . import dates
from .pages import Pages

_MARGIN = 12
_DATE = 9
_COUNT = 7
_SHORT = 40


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
        title = cut(title, max(room - cell_len(" ".join(every_tag)) - 2, room * 3 // 4) if every_tag else room)
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


def title_words(title: str) -> tuple[str, str]:
    """A title for a line, and its colour; what has none yet says so."""
    plain = " ".join(clean(title).split())
    return (plain, "$foreground") if plain else ("untitled", "$text-muted")


def short_title(title: str) -> str:
    """A title for a sentence."""
    plain, _ = title_words(title)
    return plain if len(plain) <= _SHORT else plain[: _SHORT - 1].rstrip() + "…"


def tag_words(tag: str) -> str:
    """A tag for a line."""
    return f"#{' '.join(clean(tag).split())}"


def cut(text: str, width: int) -> str:
    """``text`` in at most ``width`` cells, with an ellipsis where something is left out."""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, max(0, width - 1)).rstrip() + "…" if width > 0 else ""


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

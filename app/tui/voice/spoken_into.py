"""A text that shows at its cursor what is just being said, without it being part of the text."""

from __future__ import annotations

import re
from typing import ClassVar

from msgspec import Struct
from rich.cells import cell_len, chop_cells
from rich.segment import Segment
from textual import events
from textual.geometry import Offset, Region, Size
from textual.strip import Strip

from app.privacy.terminal import clean
from app.tui.whole_text import WholeText

_PIECE = re.compile(r"\s*\S+|\s+$")


class _Words(Struct, frozen=True):
    """Words on one row; ``settled`` ones will hardly change any more."""

    text: str
    settled: bool


class _Place(Struct, frozen=True):
    """Where the words stand: in which rows of the wrapped text, and what is beside them.

    Attributes:
        top: the row that the cursor is in.
        left: cells of that row that stand before the cursor.
        rest: cells from the cursor to the end of that row, the cursor's own among them.
        rows: the words, a row each; the first begins at ``left``, the rest stands behind the last.
    """

    top: int
    left: int
    rest: int
    rows: tuple[tuple[_Words, ...], ...]


class SpokenInto(WholeText):
    """Faint words at the cursor move what is behind them aside. They are painted and nothing else.

    Neither the text nor its history knows them, so nothing that is kept, undone or searched does.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"text-area--spoken", "text-area--settled"}
    DEFAULT_CSS = """
    SpokenInto .text-area--spoken { color: $text-disabled; text-style: italic; }
    SpokenInto .text-area--settled { color: $text-muted; text-style: italic; }
    SpokenInto:ansi .text-area--spoken { text-style: italic dim; }
    SpokenInto:ansi .text-area--settled { text-style: italic dim; }
    """

    _spoken: tuple[_Words, ...] = ()

    @property
    def spoken(self) -> str:
        """The words that are shown now."""
        return "".join(words.text for words in self._spoken)

    def show_spoken(self, words: str, settled: int = 0) -> None:
        """Shows ``words`` at the cursor, the first ``settled`` characters a little clearer; none shows nothing."""
        parts = (_Words(_line(words[:settled]), True), _Words(_line(words[settled:]), False))
        spoken = tuple(part for part in parts if part.text) if words.strip() else ()
        if spoken == self._spoken:
            return
        self._spoken = spoken
        if spoken:
            self.suggestion = ""
        self._refresh_size()
        self.refresh()
        place = self._place()
        if place is None:
            self.scroll_cursor_visible()
        else:
            self.scroll_to_region(Region(0, place.top + len(place.rows) - 1, 1, 1), animate=False, force=True)

    # Where they stand

    def _place(self) -> _Place | None:
        width = self.wrap_width
        if not self._spoken or width < 1:
            return None
        row, column = self.cursor_location
        left, top = self.wrapped_document.location_to_offset((row, column))
        _, first = self.wrapped_document.location_to_offset((row, 0))
        sections = self.wrapped_document.get_sections(row)
        section = sections[min(top - first, len(sections) - 1)] if sections else ""
        rest = max(0, cell_len(section.expandtabs(self.indent_width)) - left) + 1
        line = self.document.get_line(row)
        before, after = line[:column][-1:], line[column : column + 1]
        spoken = self._spoken
        if before and not before.isspace():
            spoken = (_Words(" ", True), *spoken)
        if after.isalnum():
            spoken = (*spoken, _Words(" ", True))
        rows = _wrapped(spoken, width, left)
        used = sum(cell_len(words.text) for words in rows[-1]) + (left if len(rows) == 1 else 0)
        if used + rest > width + 1:
            rows.append(())
        return _Place(top, left, rest, tuple(rows))

    def _refresh_size(self) -> None:
        """The rows that the words add can be scrolled to."""
        super()._refresh_size()
        place = self._place()
        if place is not None:
            self.virtual_size = Size(0, self.wrapped_document.height + len(place.rows) - 1)

    def refresh_lines(self, y_start: int, line_count: int = 1) -> None:
        """Rows below the words are not where they would be without: all are painted again."""
        if self._spoken:
            self.refresh()
        else:
            super().refresh_lines(y_start, line_count)

    def get_target_document_location(self, event: events.MouseEvent) -> tuple[int, int]:
        """The place in the text that was clicked on; a click on the words is one on the cursor."""
        place = self._place()
        if place is None:
            return super().get_target_document_location(event)
        x = event.x - self.gutter.left
        y = event.y + self.scroll_offset.y - self.gutter.top
        more = len(place.rows) - 1
        if place.top < y <= place.top + more or (y == place.top and x >= place.left):
            return self.cursor_location
        return self.wrapped_document.offset_to_location(Offset(x, y - more if y > place.top else y))

    # What is painted

    def render_line(self, y: int) -> Strip:
        """A row of the text, or one with words."""
        place = self._place()
        if place is None:
            return super().render_line(y)
        at, more = self.scroll_offset.y + y, len(place.rows) - 1
        if at < place.top:
            return super().render_line(y)
        if at > place.top + more:
            # Without text, the framework would show what stands in its stead.
            return super().render_line(y - more) if self.text else self._render_line(y - more)
        return self._with_words(place, at - place.top, y - (at - place.top))

    def _with_words(self, place: _Place, number: int, y: int) -> Strip:
        line = self._render_line(y)
        styles = [self.get_component_rich_style(f"text-area--{name}", partial=True) for name in ("spoken", "settled")]
        words = [Segment(each.text, styles[each.settled]) for each in place.rows[number]]
        parts = [Strip(words).apply_style(self.rich_style)]
        if number == 0:
            parts.insert(0, line.crop(0, place.left))
        if number == len(place.rows) - 1:
            parts.append(line.crop(place.left, place.left + place.rest))
        width = self.scrollable_content_region.width
        return Strip.join(parts).adjust_cell_length(width, self.rich_style)


def _line(words: str) -> str:
    """As it may be shown, on one line."""
    return re.sub(r"\s", " ", clean(words))


def _wrapped(spoken: tuple[_Words, ...], width: int, left: int) -> list[tuple[_Words, ...]]:
    """The words, as many on each row as fit; the first has room from ``left`` on."""
    rows: list[list[_Words]] = [[]]
    used = left
    for part in spoken:
        for piece in _PIECE.findall(part.text):
            if used + cell_len(piece.rstrip()) > width and used:
                rows.append([])
                used, piece = 0, piece.lstrip()
            *full, piece = chop_cells(piece, width) or [""]
            for row in full:
                rows[-1].append(_Words(row, part.settled))
                rows.append([])
                used = 0
            rows[-1].append(_Words(piece, part.settled))
            used += cell_len(piece)
    return [tuple(row) for row in rows]

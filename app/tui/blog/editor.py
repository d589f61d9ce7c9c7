"""Where a post is written."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widgets.text_area import Selection

from app.tui.chat.composer import MOST_HIGHLIGHTED
from app.tui.voice.spoken_into import SpokenInto

from .found_places import places_by_line

if TYPE_CHECKING:
    from app.writing.finding import Match


class PostEditor(SpokenInto):
    """A Markdown text. What may come next is shown faintly at the cursor; Tab takes it, any other key lets it go."""

    HELP = """\
Write Markdown; what you type is kept by itself. Faint words at the cursor are what may come next: **Tab** takes them,
any other key lets them go. Mark text with Shift and the arrow keys, and the assists work on that alone.
"""

    DEFAULT_CSS = """
    PostEditor {
        width: 1fr; height: 1fr; padding: 0 1; background: $background; scrollbar-size-vertical: 1;
    }
    PostEditor:focus { background: $background; background-tint: transparent; }
    PostEditor .text-area--suggestion { color: $text-disabled; text-style: italic; }
    PostEditor .text-area--found { background: $warning-muted; }
    PostEditor .text-area--found-here { background: $warning; color: $background; text-style: bold; }
    PostEditor:ansi .text-area--found { background: ansi_default; text-style: underline bold; }
    PostEditor:ansi .text-area--found-here { color: ansi_black; background: ansi_yellow; text-style: none; }
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"text-area--found", "text-area--found-here"}

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "take", "Take", show=False, id="post.take"),
        Binding("shift+tab", "to_title", "To the title", show=False, id="post.to_title"),
        Binding("ctrl+home", "edge(0)", "To the beginning", show=False, id="post.beginning"),
        Binding("ctrl+end", "edge(1)", "To the end", show=False, id="post.end"),
    ]

    class Touched(Message):
        """A key or a click came: whatever was about to be suggested is out of date."""

    class TitleWanted(Message):
        """The keys should go to the title."""

    def __init__(self) -> None:
        super().__init__(
            id="post-editor",
            soft_wrap=True,
            show_line_numbers=False,
            tab_behavior="focus",
            highlight_cursor_line=False,
            compact=True,
            placeholder="Write …",
        )
        self._left_over = ""
        self._found: dict[int, list[tuple[int, int]]] = {}

    # The text, in characters from its beginning

    def put(self, text: str) -> None:
        """Another text, with the cursor at its beginning and nothing to undo."""
        self.offer("")
        self.show_spoken("")
        self.show_found(())
        self.language = None
        self.load_text(text.replace("\r\n", "\n").replace("\r", "\n"))
        self.fit_language()

    def fit_language(self) -> None:
        """Markdown is highlighted until the text is so long that its parser would be felt in every key."""
        wanted = "markdown" if len(self.text) <= MOST_HIGHLIGHTED else None
        if wanted != self.language:
            selection: Selection = self.selection
            self.language = wanted
            self.selection = selection

    def offset_of(self, location: tuple[int, int]) -> int:
        """The place of a line and column."""
        row, column = location
        return sum(len(line) + 1 for line in self.document.lines[:row]) + column

    def location_of(self, offset: int) -> tuple[int, int]:
        """The line and column of a place."""
        left = offset
        for row, line in enumerate(self.document.lines):
            if left <= len(line):
                return row, left
            left -= len(line) + 1
        return self.document.end

    @property
    def marked(self) -> tuple[int, int]:
        """Where the marked text begins and ends; twice the cursor when none is."""
        start, end = sorted(self.selection)
        return self.offset_of(start), self.offset_of(end)

    def mark(self, start: int, end: int) -> None:
        """Marks a stretch and brings it into view."""
        self.selection = Selection(self.location_of(start), self.location_of(end))
        self.scroll_cursor_visible(center=True)

    def change(self, start: int, end: int, text: str) -> None:
        """Puts ``text`` in the place of a stretch, as one step that can be undone; the cursor stands behind it."""
        self.history.checkpoint()
        result = self.replace(text, self.location_of(start), self.location_of(end), maintain_selection_offset=False)
        self.move_cursor(result.end_location)
        self.history.checkpoint()

    def show_found(self, found: Iterable[Match]) -> None:
        """Colours every one of these places; they are of the text as it is now."""
        places = places_by_line(self.document.lines, found)
        if places != self._found:
            self._found = places
            self._line_cache.clear()
            self.refresh()

    def get_line(self, line_index: int) -> Text:
        """A line of the text, with the places in it that were found."""
        line = super().get_line(line_index)
        places = self._found.get(line_index)
        if places:
            style = self.get_component_rich_style("text-area--found", partial=True)
            for start, end in places:
                line.stylize(style, start, end)
        return line

    def render_line(self, y: int) -> Strip:
        """A row; the marked one of the places that were found stands out, whatever it is in Markdown."""
        line = super().render_line(y)
        if not self._found or self.selection.is_empty or self.spoken:
            return line
        start, end = (self.wrapped_document.location_to_offset(place) for place in sorted(self.selection))
        at = self.scroll_offset.y + y
        if not start.y <= at <= end.y:
            return line
        left = start.x if at == start.y else 0
        right = end.x if at == end.y else len(line.text.rstrip())
        style = self.get_component_rich_style("text-area--found-here")
        return Strip.join(
            [line.crop(0, left), Strip([Segment(line.crop(left, right).text, style)]), line.crop(right)]
        ).simplify()

    def go_to_line(self, line: int) -> None:
        """Puts the cursor to the beginning of a line, and the line to the top."""
        self.move_cursor((line, 0))
        self.scroll_cursor_visible(center=True)

    def action_edge(self, end: int) -> None:
        """Puts the cursor to the beginning or the end of the text."""
        self.move_cursor(self.document.end if end else (0, 0))

    # What may come next

    def offer(self, words: str) -> None:
        """Shows faint words at the cursor, as many as the rest of the line has room for."""
        self._left_over = ""
        if words:
            words, self._left_over = _fitting(words, self._room())
        self.suggestion = words

    def _room(self) -> int:
        row, column = self.cursor_location
        x, _ = self.wrapped_document.location_to_offset((row, column))
        return self.wrap_width - x

    def action_take(self) -> None:
        """Takes the faint words; where there are none, indents."""
        words, rest = self.suggestion, self._left_over
        if not words:
            self._replace_via_keyboard(" " * self._find_columns_to_next_tab_stop(), *self.selection)
            return
        self.suggestion = ""
        self._replace_via_keyboard(words, *self.selection)
        self.offer(rest)

    def action_cursor_right(self, select: bool = False) -> None:
        """Moves; the framework would take the faint words here, and Tab alone shall."""
        self.suggestion = ""
        super().action_cursor_right(select)

    def action_to_title(self) -> None:
        """Asks for the title."""
        self.post_message(self.TitleWanted())

    # Keys

    async def _on_key(self, event: events.Key) -> None:
        offered = bool(self.suggestion)
        if event.key != "tab":
            typed_on = event.character is not None and self.suggestion.startswith(event.character)
            if not typed_on:
                self.offer("")
            self.post_message(self.Touched())
        if event.key == "escape" and offered:
            event.prevent_default()
            event.stop()
            return
        if event.key.startswith("alt+"):
            # A key of ours that has nothing to do just now is no letter of the text.
            event.prevent_default()
            return
        active = self.screen.active_bindings.get(event.key)
        if active is None or active.node is not self or event.is_printable:
            return
        # Done at once, as in the chat's composer: letters that were typed behind it must not overtake it. A key that
        # finds nothing to do here rises.
        if not active.enabled or await self.app.run_action(active.binding.action, self):
            event.prevent_default()
            event.stop()

    async def _on_mouse_down(self, event: events.MouseDown) -> None:
        self.offer("")
        self.post_message(self.Touched())
        await super()._on_mouse_down(event)

    async def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        self.offer("")
        self.post_message(self.Touched())
        result = self._replace_via_keyboard(event.text.replace("\r\n", "\n").replace("\r", "\n"), *self.selection)
        if result is not None:
            self.move_cursor(result.end_location)
        self.focus()


def _fitting(words: str, room: int) -> tuple[str, str]:
    """The words that fit in ``room`` cells, and the rest."""
    if cell_len(words) <= room:
        return words, ""
    shown = ""
    for piece in re.findall(r"\s*\S+", words):
        if cell_len(shown + piece) > room:
            break
        shown += piece
    return (shown, words[len(shown) :]) if shown else ("", "")

"""The line above the list: the shelves and how much is on each, and what a search found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from app.tui import words

if TYPE_CHECKING:
    from app.vault.conversations.sessions import Shelf

SHELVES: tuple[tuple[Shelf, str], ...] = (("current", "Sessions"), ("archived", "Archived"), ("bin", "Bin"))


class ShelfBar(Widget):
    """Names of the shelves, each a click or a Tab away."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "ShelfBar { height: 1; width: 1fr; color: $text-muted; padding: 0 1; }"

    shelf: reactive[Shelf] = reactive("current")
    counts: reactive[dict[Shelf, int]] = reactive({})
    note: reactive[str] = reactive("")
    """What stands at the right edge."""
    aside: reactive[str] = reactive("")
    """What stands there while there is no note."""

    class Chosen(Message):
        """A shelf was clicked."""

        def __init__(self, shelf: Shelf) -> None:
            super().__init__()
            self.shelf = shelf

    def __init__(self) -> None:
        super().__init__(id="shelves")
        self._spans: list[tuple[int, int, Shelf]] = []

    def render(self) -> Content:
        """The line as wide as the pane."""
        pieces: list[tuple[str, str]] = []
        self._spans = []
        column = 0
        for shelf, title in SHELVES:
            count = self.counts.get(shelf)
            number = f" {words.count(count)}" if count else ""
            shown = shelf == self.shelf
            pieces += [
                (title, "bold underline $primary" if shown else "$text-muted"),
                (number, "$foreground" if shown else "$text-disabled"),
                ("   ", ""),
            ]
            length = len(title) + len(number)
            self._spans.append((column, column + length, shelf))
            column += length + 3
        room = self.content_size.width - column
        note = next((words for words in (self.note, self.aside) if words and len(words) <= room), "")
        return Content.assemble(*pieces, (" " * (room - len(note)), ""), (note, "$text-muted"))

    def on_click(self, event: events.Click) -> None:
        """Tells which shelf lies under the pointer."""
        column = event.x - 1
        for start, end, shelf in self._spans:
            if start <= column < end:
                self.post_message(self.Chosen(shelf))

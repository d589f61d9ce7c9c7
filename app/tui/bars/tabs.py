"""The top line: which pane is shown, whether anything may leave the machine, whether a passphrase guards the vault."""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

WORDMARK = "playground"


class TabBar(Widget):
    """Names of the panes, each a click or a key away."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    TabBar { height: 1; width: 1fr; background: $background; color: $text-muted; padding: 0 1; }
    """

    current: reactive[str] = reactive("")
    local_only: reactive[bool] = reactive(False)
    unprotected: reactive[bool] = reactive(False)

    class Chosen(Message):
        """A tab was clicked."""

        def __init__(self, pane: str) -> None:
            super().__init__()
            self.pane = pane

    def __init__(self, panes: tuple[tuple[str, str], ...]) -> None:
        """``panes``: the id and the title of each."""
        super().__init__(id="tabs")
        self._panes = panes
        self._spans: list[tuple[int, int, str]] = []

    def render(self) -> Content:
        """The line as wide as the screen."""
        pieces: list[tuple[str, str]] = [("◆ ", "$primary"), (WORDMARK, "bold $foreground"), ("   ", "")]
        column = sum(len(text) for text, _ in pieces)
        self._spans = []
        for pane, title in self._panes:
            label = f" {title} "
            self._spans.append((column, column + len(label), pane))
            pieces.append((label, "bold $background on $primary" if pane == self.current else "$text-muted"))
            pieces.append((" ", ""))
            column += len(label) + 1
        marks = [("⌂ local only", "$success")] if self.local_only else []
        if self.unprotected:
            marks.insert(0, ("no passphrase", "$text-disabled"))
        room = self.content_size.width - column
        while marks and sum(len(mark) + 2 for mark, _ in marks) > room:
            marks.pop(0)
        gap = room - sum(len(mark) for mark, _ in marks) - 2 * max(0, len(marks) - 1)
        for place, (mark, colour) in enumerate(marks):
            pieces += [(" " * (gap if place == 0 else 2), ""), (mark, colour)]
        return Content.assemble(*pieces)

    def on_click(self, event: events.Click) -> None:
        """Tells which tab lies under the pointer."""
        column = event.x - 1
        for start, end, pane in self._spans:
            if start <= column < end:
                self.post_message(self.Chosen(pane))

"""The top line: which pane is shown, and whether a passphrase guards the vault."""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

WORDMARK = "playground"
_UNPROTECTED = "no passphrase"


class TabBar(Widget):
    """Names of the panes, each a click or a key away."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    TabBar { height: 1; width: 1fr; background: $background; color: $text-muted; padding: 0 1; }
    """

    current: reactive[str] = reactive("")
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
        width = self.content_size.width
        tabs = sum(len(title) + 3 for _, title in self._panes)
        # On a narrow screen the tabs need the name's place.
        name = f"{WORDMARK}   " if tabs + len(WORDMARK) + 5 + len(_UNPROTECTED) <= width else ""
        pieces: list[tuple[str, str]] = [("◆ ", "$primary"), (name, "bold $foreground")]
        column = sum(len(text) for text, _ in pieces)
        self._spans = []
        for pane, title in self._panes:
            label = f" {title} "
            self._spans.append((column, column + len(label), pane))
            pieces.append((label, "bold $background on $primary" if pane == self.current else "$text-muted"))
            pieces.append((" ", ""))
            column += len(label) + 1
        gap = width - column - len(_UNPROTECTED)
        if self.unprotected and gap >= 0:
            pieces += [(" " * gap, ""), (_UNPROTECTED, "$text-disabled")]
        return Content.assemble(*pieces)

    def on_click(self, event: events.Click) -> None:
        """Tells which tab lies under the pointer."""
        column = event.x - 1
        for start, end, pane in self._spans:
            if start <= column < end:
                self.post_message(self.Chosen(pane))

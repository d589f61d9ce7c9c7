"""What a model thought before it answered."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from app.tui import words


class ThinkingView(Vertical):
    """What a model thought before it answered: open while it thinks, folded away after, a click opens it again."""

    def __init__(self, text: str, open_: bool) -> None:
        super().__init__(classes="thinking")
        self._text = text
        self.open = open_

    def compose(self) -> ComposeResult:
        """A line to click, and the thoughts."""
        yield Static(self._heading(), classes="heading")
        body = Static(Content(self._text.strip()), classes="body")
        body.display = self.open
        yield body

    def _heading(self) -> Content:
        count = words.plural(len(self._text.split()), "word")
        return Content(f"{'▾' if self.open else '▸'} thoughts · {count}")

    def append(self, text: str) -> None:
        """More thoughts; only the last of them are laid out while they come."""
        self._text += text
        self.query_one(".body", Static).update(Content("\n".join(self._text.strip().splitlines()[-8:])))
        self.query_one(".heading", Static).update(self._heading())

    def fold(self, open_: bool) -> None:
        """Opens or folds."""
        self.open = open_
        body = self.query_one(".body", Static)
        if open_:
            body.update(Content(self._text.strip()))
        body.display = open_
        self.query_one(".heading", Static).update(self._heading())

    def on_click(self, event: events.Click) -> None:
        """The heading folds and unfolds."""
        if event.widget is not None and event.widget.has_class("heading"):
            event.stop()
            self.fold(not self.open)

"""A question whose answer is a text of some lines."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static, TextArea

from .dialog import Dialog


class TextPrompt(Dialog[str]):
    """A title and a text field."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", "Save", priority=True, id="dialog.save"),
    ]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title = title
        self._text = text

    def compose(self) -> ComposeResult:
        """The field, filled with what holds now."""
        with Vertical(classes="dialog"):
            yield Static(Content(self._title), classes="title")
            yield TextArea(self._text, tab_behavior="focus", compact=True)
            yield Static(
                Content.assemble(("^s", "bold $primary"), " save    ", ("esc", "bold $primary"), " leave as it was"),
                classes="hint",
            )

    def action_save(self) -> None:
        """Closes with the text."""
        self.dismiss(self.query_one(TextArea).text)

"""A key for the server: named, made, shown once."""

from __future__ import annotations

from typing import ClassVar

from textual import getters
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.types import CSSPathType
from textual.widgets import Static

from app.tui.dialogs.dialog import Dialog
from app.tui.face import Face


class KeyDialog(Dialog[None]):
    """Shows a key that was just made."""

    DEFAULT_CSS = """
    KeyDialog { align: center middle; background: $background 60%; }
    KeyDialog #key { margin: 1 0; padding: 1 2; background: $panel; text-align: center; height: auto; }
    """
    CSS_PATH: ClassVar[CSSPathType | None] = "../dialogs/dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "copy", "Copy", id="key.copy"),
        Binding("enter", "done", "Done", id="key.done"),
    ]
    AUTO_FOCUS = ""

    app = getters.app(Face)

    def __init__(self, name: str, text: str) -> None:
        super().__init__()
        self._called, self._text = name, text
        self._safe = False

    def compose(self) -> ComposeResult:
        """The key, and what to do with it."""
        with Vertical(classes="dialog"):
            yield Static(Content(f"The key “{self._called}”"), classes="title")
            yield Static(
                Content("It is shown this once: only its fingerprint is kept. Put it where your program looks.")
            )
            yield Static(Content.styled(self._text, "bold $accent"), id="key")
            yield Static(id="key-note")
            yield Static(
                Content.assemble(("c", "bold $primary"), " copy    ", ("⏎", "bold $primary"), " done"), classes="hint"
            )

    def action_copy(self) -> None:
        """Copies the key."""
        self.app.copy_to_clipboard(self._text)
        self._note("Copied. Other programs can read the clipboard.")

    def action_done(self) -> None:
        """Closes; the key is not shown again."""
        self.dismiss(None)

    def action_leave(self) -> None:
        """Closes when it was copied, or when it was said before: the key does not go by one stray key."""
        if self._safe:
            self.dismiss(None)
        else:
            self._note("It is not shown again. ⏎ when it is put away.")

    def _note(self, words: str) -> None:
        self._safe = True
        self.query_one("#key-note", Static).update(Content.styled(words, "$text-warning"))

"""A sheet to read: some lines on top, a text below that scrolls, in two forms."""

from __future__ import annotations

from typing import ClassVar

from textual import getters
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.types import CSSPathType
from textual.widgets import Static

from app.tui.dialogs.dialog import Dialog
from app.tui.face import Face


class Sheet(Dialog[None]):
    """Read only.

    Args:
        title: what it is.
        head: what stands above, always in view.
        forms: the forms of the text: the name of each, how it is shown, and what copying takes.
    """

    CSS_PATH: ClassVar[CSSPathType | None] = "../dialogs/dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "form", "Other form", id="sheet.form"),
        Binding("c", "copy", "Copy", id="sheet.copy"),
        Binding("enter,q", "leave", "Close", show=False, id="sheet.leave"),
    ]
    AUTO_FOCUS = "VerticalScroll"

    app = getters.app(Face)

    def __init__(self, title: str, head: Content, forms: tuple[tuple[str, Content, str], ...]) -> None:
        super().__init__()
        self._title, self._head, self._forms = title, head, forms
        self._shown = 0

    def compose(self) -> ComposeResult:
        """Title, head, text, keys."""
        with Vertical(classes="dialog sheet"):
            yield Static(Content(self._title), classes="title")
            yield Static(self._head, classes="head")
            with VerticalScroll():
                yield Static(classes="body")
            yield Static(classes="hint")

    def on_mount(self) -> None:
        """Shows the first form."""
        self._show()

    def _show(self) -> None:
        _, body, _ = self._forms[self._shown]
        self.query_one(".body", Static).update(body)
        pieces = [("esc", "bold $primary"), (" close    ", ""), ("↑↓", "bold $primary"), (" scroll    ", "")]
        pieces += [("c", "bold $primary"), (" copy", "")]
        if len(self._forms) > 1:
            other = self._forms[(self._shown + 1) % len(self._forms)][0]
            pieces += [("    ", ""), ("j", "bold $primary"), (f" {other}", "")]
        self.query_one(".hint", Static).update(Content.assemble(*pieces))

    def action_form(self) -> None:
        """Shows the other form."""
        self._shown = (self._shown + 1) % len(self._forms)
        self._show()
        self.query_one(VerticalScroll).scroll_home(animate=False)

    def action_copy(self) -> None:
        """Copies the whole text."""
        self.app.copy_to_clipboard(self._forms[self._shown][2])
        self.app.notify("Copied.", timeout=2)

"""A question whose answer is one line."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.types import CSSPathType
from textual.widgets import Input, Static

from app.tui.dialogs.dialog import Dialog
from app.tui.dialogs.dialog_lines import key_line

_CHANGES = "save"
"""What Enter does where there is something already; elsewhere nothing is as it was."""


class LinePrompt(Dialog[str]):
    """A title, a field, and a line that says what is wrong with it."""

    CSS_PATH: ClassVar[CSSPathType | None] = ["../dialogs/dialogs.tcss", "dialogs.tcss"]

    def __init__(
        self,
        title: str,
        value: str = "",
        *,
        about: str = "",
        placeholder: str = "",
        does: str = _CHANGES,
        check: Callable[[str], str] | None = None,
    ) -> None:
        """``does``: what Enter does. ``check``: what is wrong with a text, or nothing."""
        super().__init__()
        self._title = title
        self._value = value
        self._about = about
        self._placeholder = placeholder
        self._does = does
        self._check = check

    def compose(self) -> ComposeResult:
        """The field, filled with what holds now."""
        with Vertical(classes="dialog"):
            yield Static(Content(self._title), classes="title")
            yield Input(self._value, placeholder=self._placeholder, compact=True, select_on_focus=False)
            yield Static(Content(self._about), classes="about")
            yield Static(classes="wrong")
            leaves = "leave as it was" if self._does == _CHANGES else "leave"
            yield key_line(("⏎", self._does), ("esc", leaves))

    @on(Input.Changed)
    def _calm(self) -> None:
        self.query_one(".wrong", Static).update("")

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        wrong = self._check(event.value) if self._check is not None else ""
        if wrong:
            self.query_one(".wrong", Static).update(Content(wrong))
        else:
            self.dismiss(event.value)

"""What all dialogs share."""

from __future__ import annotations

from typing import ClassVar, TypeVar

from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.types import CSSPathType

Answer = TypeVar("Answer")


class Dialog(ModalScreen[Answer]):
    """A small screen over the panes; Escape leaves it without an answer, and so does Ctrl+C with nothing marked."""

    AUTO_FOCUS = "*"
    CSS_PATH: ClassVar[CSSPathType | None] = "dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Close", key_display="esc", id="dialog.leave"),
        Binding("ctrl+c", "leave", "Close", show=False, id="dialog.interrupt"),
        # At once: a program that types for a person does not wait, and what follows belongs into the next field.
        Binding("tab", "app.focus_next", "Next field", show=False, priority=True, id="dialog.next"),
        Binding("shift+tab", "app.focus_previous", "Field before", show=False, priority=True, id="dialog.previous"),
    ]

    def action_leave(self) -> None:
        """Closes without an answer."""
        self.dismiss(None)

"""The title above the text."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input


class TitleField(Input):
    """One line; Enter goes on to the text."""

    HELP = "The title. **Enter** goes on to the text."

    DEFAULT_CSS = """
    TitleField {
        height: 1; width: 1fr; margin: 0 1 1 1; padding: 0 1; border: none; background: $background;
        text-style: bold; color: $primary;
    }
    TitleField:focus { border: none; background: $surface; background-tint: transparent; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,down,tab", "to_text", "To the text", show=False, id="post.to_text"),
    ]

    class TextWanted(Message):
        """The keys should go to the text."""

    def __init__(self) -> None:
        super().__init__(placeholder="Title", compact=True, select_on_focus=False, id="post-title")

    def action_to_text(self) -> None:
        """Asks for the text."""
        self.post_message(self.TextWanted())

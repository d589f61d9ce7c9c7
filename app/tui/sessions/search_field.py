"""The field to search in: the list below follows, and the arrow keys move through it while one types."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input


class SearchField(Input):
    """Text, and three keys that belong to the list below."""

    HELP = """\
Type words that were said, or a part of a title; the last word may be only begun. **#tag** shows the conversations
with that tag. **Enter** opens the chosen hit at its message. A moment after the last key, what memory finds in other
words joins below, under a heading of its own.
"""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Open", id="sessions.search_open"),
        Binding("up", "move(-1)", "Up", show=False, id="sessions.search_up"),
        Binding("down", "move(1)", "Down", show=False, id="sessions.search_down"),
        Binding("escape", "leave", "Clear", key_display="esc", id="sessions.search_clear"),
        Binding("tab", "to_list", "To the list", id="sessions.search_to_list"),
        Binding("ctrl+o", "turn", "Other words", id="sessions.search_other_words"),
    ]

    class Moved(Message):
        """The choice in the list goes up or down."""

        def __init__(self, step: int) -> None:
            super().__init__()
            self.step = step

    class Turned(Message):
        """The choice goes to what was said in other words, or back."""

    class Left(Message):
        """The keys go back to the list."""

    def __init__(self) -> None:
        super().__init__(placeholder="/  search what was said, titles, #tags", compact=True, id="session-search")
        self.other_words = False
        """Whether something was found in other words."""

    def action_move(self, step: int) -> None:
        """Moves the choice while the field keeps the keys."""
        self.post_message(self.Moved(step))

    def action_turn(self) -> None:
        """Moves the choice while the field keeps the keys."""
        self.post_message(self.Turned())

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only keys that would do something here and now."""
        return self.other_words if action == "turn" else True

    def action_leave(self) -> None:
        """Empties the field and leaves it."""
        self.value = ""
        self.post_message(self.Left())

    def action_to_list(self) -> None:
        """Leaves the field; what was found stays."""
        self.post_message(self.Left())

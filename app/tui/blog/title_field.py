"""The title above the text."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
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

    def __init__(self, to_text: Callable[[], None]) -> None:
        """``to_text``: gives the keys to the text."""
        super().__init__(placeholder="Title", compact=True, select_on_focus=False, id="post-title")
        self._to_text = to_text

    async def _on_key(self, event: events.Key) -> None:
        focused = self.screen.focused
        if focused is not self and focused is not None:
            # Typed so fast behind Enter that it came here before the keys went to the text: it is meant for that.
            event.prevent_default()
            event.stop()
            focused.post_message(events.Key(event.key, event.character))
        elif event.key == "enter":
            # Done at once: left to the framework, letters that were typed behind it would be part of the title.
            event.prevent_default()
            event.stop()
            self.action_to_text()

    def action_to_text(self) -> None:
        """Goes on to the text."""
        self._to_text()

"""A summary: to copy, or to put into the post."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from app.writing.assistant import Ended

from .assist_screen import AssistScreen, Job


class SummaryCard(AssistScreen[str]):
    """The text as it comes. Its answer is the text, when it shall be put into the post."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "copy", "Copy", id="summary.copy"),
        Binding("i,enter", "insert", "Put in", id="summary.insert"),
    ]
    AUTO_FOCUS = "VerticalScroll"

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.text = ""

    def compose(self) -> ComposeResult:
        """What is done, the text, the keys."""
        with Vertical(classes="dialog"):
            yield self.head()
            yield self.wrong()
            with VerticalScroll():
                yield Static(classes="body")
            yield self.hint()

    def _begin(self) -> None:
        self.text = ""
        self._say("…")
        super()._begin()

    async def proposed(self, text: str, rest: str) -> None:
        """Shows it as it comes."""
        self._say(text)

    async def ended(self, result: Ended) -> None:
        """Shows it whole."""
        self.text = result.text
        self._say(result.text or "The model wrote nothing.")

    async def failed(self) -> None:
        """Shows why alone."""
        self._say("")

    def _say(self, text: str) -> None:
        self.query_one(".body", Static).update(Content(text))

    def keys(self) -> list[tuple[str, str]]:
        """What can be done with it."""
        return [("c", "copy"), ("i", "put in at the cursor")] if self.text else []

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Half a summary is none."""
        if action in ("copy", "insert"):
            return bool(self.text)
        return super().check_action(action, parameters)

    def action_copy(self) -> None:
        """Copies it."""
        self.app.copy_to_clipboard(self.text)
        self.app.notify("Copied.", timeout=2)

    def action_insert(self) -> None:
        """Gives it to the post."""
        self.dismiss(self.text)

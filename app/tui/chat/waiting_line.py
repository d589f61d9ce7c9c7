"""Why nothing of an answer has come yet."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from app.messages import Waiting

from .answer_footer import waiting_words

_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class WaitingLine(Static):
    """Why nothing has come yet, in the place where the answer will be."""

    def __init__(self) -> None:
        super().__init__(classes="waiting")
        self._text = "thinking"
        self._frame = 0

    def on_mount(self) -> None:
        """Turns gently, unless the person asked for no animation."""
        self._draw()
        if self.app.animation_level != "none":
            self.set_interval(1 / 10, self._turn)

    def say(self, waiting: Waiting | str, model: str = "") -> None:
        """Another reason, or progress."""
        self._text = waiting if isinstance(waiting, str) else waiting_words(waiting, model)
        self._draw()

    def _turn(self) -> None:
        self._frame += 1
        self._draw()

    def _draw(self) -> None:
        self.update(Content.assemble((_SPINNER[self._frame % len(_SPINNER)], "$primary"), f" {self._text}"))

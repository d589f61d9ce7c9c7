"""What the chat tells the application."""

from __future__ import annotations

from textual.message import Message

from app.tui.bars.status import Status


class SessionChanged(Message):
    """A session was begun, or something of it changed that a list of sessions shows."""


class StatusChanged(Message):
    """The figures of the status line changed."""

    def __init__(self, status: Status) -> None:
        super().__init__()
        self.status = status


class ModelChosen(Message):
    """Another model answers from now on; the choice is worth remembering."""

    def __init__(self, model: str) -> None:
        super().__init__()
        self.model = model


class PostWanted(Message):
    """A post is to be shown."""

    def __init__(self, post_id: str) -> None:
        super().__init__()
        self.post_id = post_id

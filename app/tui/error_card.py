"""One calm way to show what went wrong."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from app.messages import Failure
from app.privacy.terminal import clean


class ErrorCard(Static):
    """What happened, and what to do next. Never a traceback."""

    DEFAULT_CSS = """
    ErrorCard {
        height: auto;
        width: 1fr;
        padding: 0 1;
        border-left: thick $error;
        background: $error 8%;
    }
    ErrorCard:ansi { background: transparent; }
    """

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure_words(failure))


def failure_words(failure: Failure) -> Content:
    """Title, message and remedy, one below the other."""
    lines = [Content.styled(clean(failure.title), "bold $text-error"), Content(clean(failure.message))]
    if failure.remedy:
        lines.append(Content.styled(clean(failure.remedy), "$text-muted"))
    return Content("\n").join(lines)

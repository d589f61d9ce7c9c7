"""Where text lies in plain completions: in each choice's text. Their events are otherwise those of chat completions."""

from __future__ import annotations

from collections.abc import Iterator

from app.backends.rules import JsonObject

from .openai_chat import carrying, choices_of, ending, says_nothing
from .spot import Spot

__all__ = ["answer_spots", "carrying", "ending", "says_nothing", "spots"]


def spots(event: JsonObject) -> Iterator[Spot]:
    """See ``EventShape``."""
    return _of_completions(event, whole=False)


def answer_spots(body: JsonObject) -> Iterator[Spot]:
    """See ``EventShape``."""
    return _of_completions(body, whole=True)


def _of_completions(event: JsonObject, *, whole: bool) -> Iterator[Spot]:
    for place, index, choice in choices_of(event):
        if isinstance(choice.get("text"), str):
            yield Spot((index, "text"), choice["text"], "text", whole, ("choices", place, "text"))

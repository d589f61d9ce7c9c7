"""Where text lies in the events and answers of each protocol, a protocol a file.

What does not have the shape that its protocol documents has no spots and is let alone: nothing here raises for it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Protocol

from app.backends.rules import JsonObject, WireProtocol

from . import anthropic, ollama, openai_chat, openai_completions, openai_responses
from .spot import Spot, put

__all__ = ["EventShape", "Spot", "answer_spots", "carrying", "ending", "put", "says_nothing", "spots"]


class EventShape(Protocol):
    """What each protocol's file has; the functions below say what each is for."""

    def spots(self, event: JsonObject) -> Iterator[Spot]:
        """The texts of one streamed event, in reading order; empty ones too."""
        ...

    def answer_spots(self, body: JsonObject) -> Iterator[Spot]:
        """The texts of a whole answer's body, in reading order; every one is whole."""
        ...

    def ending(self, event: JsonObject, known: list[Hashable]) -> list[Hashable]:
        """Which of ``known`` channels get no more text after ``event``, or got their last before it."""
        ...

    def carrying(self, like: JsonObject, spot: Spot, text: str) -> JsonObject:
        """An event like that one that says ``text`` where ``spot`` is, and nothing else."""
        ...

    def says_nothing(self, event: JsonObject) -> bool:
        """Whether the event carries empty text alone."""
        ...


_SHAPES: Mapping[WireProtocol, EventShape] = {
    "openai-chat": openai_chat,
    "openai-completions": openai_completions,
    "openai-responses": openai_responses,
    "anthropic": anthropic,
    "ollama": ollama,
}


def spots(protocol: WireProtocol, event: JsonObject) -> list[Spot]:
    """The texts of one streamed event, in reading order; empty ones too."""
    return list(_SHAPES[protocol].spots(event))


def answer_spots(protocol: WireProtocol, body: JsonObject) -> list[Spot]:
    """The texts of a whole answer's body, in reading order; every one is whole."""
    return list(_SHAPES[protocol].answer_spots(body))


def ending(protocol: WireProtocol, event: JsonObject, channels: Iterable[Hashable]) -> list[Hashable]:
    """Which of ``channels`` get no more text after ``event``, or got their last before it, in the order given."""
    return _SHAPES[protocol].ending(event, list(channels))


def carrying(protocol: WireProtocol, like: JsonObject, spot: Spot, text: str) -> JsonObject:
    """An event that says ``text`` in ``spot``'s channel and nothing else.

    Args:
        protocol: of both.
        like: an event of the same stream in which ``spot`` was found; not changed.
        spot: where its text was.
        text: what is to be said.
    """
    return _SHAPES[protocol].carrying(like, spot, text)


def says_nothing(protocol: WireProtocol, event: JsonObject) -> bool:
    """Whether nobody would miss ``event``: it carries empty text alone."""
    return _SHAPES[protocol].says_nothing(event)

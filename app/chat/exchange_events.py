"""What happens in one turn, as whoever shows it hears of it."""

from __future__ import annotations

from msgspec import Struct

from app.messages import Node, Rerouted, Started, Waiting

from .recalling import RecalledNow, RecallFailed


class AnswerBegun(Struct, frozen=True):
    """The question is kept and an empty answer stands below it; nothing has been asked of a model yet."""

    node: Node


class TextArrived(Struct, frozen=True):
    """More of the answer, as it came: not cleaned for a terminal."""

    text: str


class ThinkingArrived(Struct, frozen=True):
    """More of the thoughts before the answer, as they came."""

    text: str


class LeftOut(Struct, frozen=True):
    """The conversation is longer than the model's context window: so many of its oldest messages are not sent."""

    messages: int


class AnswerEnded(Struct, frozen=True):
    """The answer is over and kept: complete, or failed with what had come."""

    node: Node


ExchangeEvent = (
    AnswerBegun
    | RecalledNow
    | RecallFailed
    | LeftOut
    | Waiting
    | Rerouted
    | Started
    | TextArrived
    | ThinkingArrived
    | AnswerEnded
)
"""In this order, as far as they come; those of the answer itself may come often."""

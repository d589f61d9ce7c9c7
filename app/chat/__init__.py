"""Conversations: turns, branches, what of them goes into a request, and running one turn."""

from .context import messages_for
from .conversation import Conversation
from .exchange import (
    AnswerBegun,
    AnswerEnded,
    Answering,
    Exchange,
    ExchangeEvent,
    LeftOut,
    TextArrived,
    ThinkingArrived,
)

__all__ = [
    "AnswerBegun",
    "AnswerEnded",
    "Answering",
    "Conversation",
    "Exchange",
    "ExchangeEvent",
    "LeftOut",
    "TextArrived",
    "ThinkingArrived",
    "messages_for",
]

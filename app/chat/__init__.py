"""Conversations: turns, branches, what of them goes into a request, and running one turn."""

from .context import messages_for
from .conversation import Conversation
from .exchange import (
    AnswerBegun,
    AnswerEnded,
    Answering,
    Asking,
    Exchange,
    ExchangeEvent,
    GoingOn,
    LeftOut,
    TextArrived,
    ThinkingArrived,
)

__all__ = [
    "AnswerBegun",
    "AnswerEnded",
    "Answering",
    "Asking",
    "Conversation",
    "Exchange",
    "ExchangeEvent",
    "GoingOn",
    "LeftOut",
    "TextArrived",
    "ThinkingArrived",
    "messages_for",
]

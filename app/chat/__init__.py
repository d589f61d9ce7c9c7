"""Conversations: turns, branches, what of them goes into a request, and running one turn."""

from .context import messages_for
from .conversation import Conversation
from .exchange import Answering, Asking, Exchange, GoingOn
from .exchange_events import AnswerBegun, AnswerEnded, ExchangeEvent, LeftOut, TextArrived, ThinkingArrived
from .outgoing import Outgoing

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
    "Outgoing",
    "TextArrived",
    "ThinkingArrived",
    "messages_for",
]

"""The ways to ask OpenAI and servers like it, and which request goes which way."""

from __future__ import annotations

from functools import partial

from app.backends.dialect import Dialect, Spoken
from app.messages import ChatRequest

from .chat_asking import chat_body, completion_body
from .chat_reading import ChatReader
from .responses_asking import needs_responses, responses_body
from .responses_reading import ResponsesReader

# By whether the server is one that is not OpenAI's own.
_CHAT = {
    it: Spoken("openai-chat", "/chat/completions", partial(chat_body, compatible=it), ChatReader)
    for it in (False, True)
}
_COMPLETIONS = {
    it: Spoken("openai-completions", "/completions", partial(completion_body, compatible=it), ChatReader)
    for it in (False, True)
}
RESPONSES = Spoken("openai-responses", "/responses", responses_body, ResponsesReader)
"""``POST /responses``."""


def way_of(request: ChatRequest, *, compatible: bool) -> Dialect:
    """How a request is asked: by chat; a bare prompt by completions; responses where OpenAI has nothing else."""
    if request.prompt is not None:
        return _COMPLETIONS[compatible]
    if not compatible and needs_responses(request.model):
        return RESPONSES
    return _CHAT[compatible]

"""The ways to ask OpenAI and servers like it, and which request goes which way."""

from __future__ import annotations

from app.backends.dialect import AnswerReader, Dialect
from app.backends.rules import JsonObject, WireProtocol
from app.messages import ChatRequest

from .chat_asking import chat_body, completion_body
from .chat_reading import ChatReader
from .responses_asking import needs_responses, responses_body
from .responses_reading import ResponsesReader


class ChatCompletions:
    """``POST /chat/completions``. ``compatible``: a server that is not OpenAI's own."""

    protocol: WireProtocol = "openai-chat"
    path = "/chat/completions"

    def __init__(self, *, compatible: bool) -> None:
        self._compatible = compatible

    def body(self, request: ChatRequest, *, stream: bool = True) -> JsonObject:
        """See ``Dialect``."""
        return chat_body(request, stream=stream, compatible=self._compatible)

    def reader(self, model: str, backend: str) -> AnswerReader:
        """See ``Dialect``."""
        return ChatReader(model, backend)


class Completions:
    """``POST /completions``: a prompt is continued as it is."""

    protocol: WireProtocol = "openai-completions"
    path = "/completions"

    def __init__(self, *, compatible: bool) -> None:
        self._compatible = compatible

    def body(self, request: ChatRequest, *, stream: bool = True) -> JsonObject:
        """See ``Dialect``."""
        return completion_body(request, stream=stream, compatible=self._compatible)

    def reader(self, model: str, backend: str) -> AnswerReader:
        """See ``Dialect``."""
        return ChatReader(model, backend)


class Responses:
    """``POST /responses``."""

    protocol: WireProtocol = "openai-responses"
    path = "/responses"

    def body(self, request: ChatRequest, *, stream: bool = True) -> JsonObject:
        """See ``Dialect``."""
        return responses_body(request, stream=stream)

    def reader(self, model: str, backend: str) -> AnswerReader:
        """See ``Dialect``."""
        return ResponsesReader(model, backend)


def way_of(request: ChatRequest, *, compatible: bool) -> Dialect:
    """How a request is asked: by chat; a bare prompt by completions; responses where OpenAI has nothing else."""
    if request.prompt is not None:
        return Completions(compatible=compatible)
    if not compatible and needs_responses(request.model):
        return Responses()
    return ChatCompletions(compatible=compatible)

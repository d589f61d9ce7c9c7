"""``/chat/completions`` without ``/v1``: OpenAI's body with llama.cpp's liberties."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Request
from msgspec.structs import replace
from pydantic import ConfigDict, Field, ValidationError
from starlette.responses import Response

from app.errors import InvalidRequestError
from app.messages import ChatRequest, ResponseFormat
from app.server.lenient import JsonWhateverItSays
from app.server.openai.chat import answered, neutral_request
from app.server.openai.invalid import refusal_of
from app.server.openai.wire import ChatCompletionRequest, Stop
from app.server.services import Services

from .wire import CompletionFields

_LIMITS = ("n_predict", "max_completion_tokens", "max_tokens")
"""How long an answer may be: the first that is said counts, as there."""
_OWN = ("logit_bias", "grammar", "json_schema", *CompletionFields.FOREIGN)


class ChatBody(ChatCompletionRequest):
    """A chat. Names that nobody knows are let pass, as there."""

    model_config = ConfigDict(extra="ignore")

    stop: Stop | Annotated[list[Stop], Field(max_length=64)] | None = None


def routes(services: Services) -> APIRouter:
    """The route, answering from ``services``."""
    router = APIRouter(route_class=JsonWhateverItSays)

    @router.post("/chat/completions", response_class=Response, include_in_schema=False)
    async def chat_completions(asked: dict[str, Any], request: Request) -> Response:
        """Answers a conversation, by the default model where none is named."""
        body, neutral = await read(services, asked)
        return await answered(services, body, neutral, request)

    return router


async def read(services: Services, asked: Mapping[str, Any]) -> tuple[ChatCompletionRequest, ChatRequest]:
    """What is asked, in OpenAI's words and in neutral ones.

    Raises:
        PlaygroundError: when it cannot be answered.
    """
    try:
        own = CompletionFields.model_validate({name: asked[name] for name in _OWN if _is_own(asked, name)})
        body = ChatBody.model_validate(_in_openais_words(services, asked, own))
    except ValidationError as error:
        raise refusal_of([{**found, "loc": ("body", *found["loc"])} for found in error.errors()]) from error
    own.refuse_foreign()
    neutral = await neutral_request(services, body)
    schema = own.json_schema if own.json_schema is not None else _schema_beside_type(asked)
    if own.grammar or schema is not None:
        neutral = replace(neutral, response_format=ResponseFormat(schema, own.grammar or None))
    return body, neutral


def _is_own(asked: Mapping[str, Any], name: str) -> bool:
    """Whether a name has its meaning of llama.cpp. Biases are OpenAI's where they are an object."""
    return name in asked and not (name == "logit_bias" and isinstance(asked[name], dict))


def _in_openais_words(services: Services, asked: Mapping[str, Any], own: CompletionFields) -> dict[str, Any]:
    said = dict(asked)
    said["model"] = asked.get("model") or services.settings.models.default
    limits = [said.pop(name, None) for name in _LIMITS]
    limit = next((limit for limit in limits if limit is not None), None)
    if limit is not None and not (_is_whole(limit) and limit < 0):  # less than zero is none
        said["max_tokens"] = limit
    if _is_whole(asked.get("seed")) and asked["seed"] < 0:
        del said["seed"]
    if own.logit_bias is not None:
        said["logit_bias"] = {str(token): bias for token, bias in own.biases.items()}
    if _schema_beside_type(asked) is not None:
        del said["response_format"]
    return said


def _schema_beside_type(asked: Mapping[str, Any]) -> dict[str, Any] | None:
    """``{"type": "json_object", "schema": {…}}``: OpenAI's own form has the schema elsewhere."""
    form = asked.get("response_format")
    schema = form.get("schema") if isinstance(form, dict) else None
    if schema is not None and not isinstance(schema, dict):
        raise InvalidRequestError('"response_format.schema" must be an object')
    return schema


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)

"""``POST /v1/embeddings``."""

from __future__ import annotations

import base64
import sys
from array import array
from typing import Annotated, Literal

from fastapi import APIRouter, Request
from msgspec import Struct
from pydantic import Field
from starlette.responses import Response

from app.engine.embeddings import Embeddings
from app.messages import Usage
from app.server.metering.meter import meter_of
from app.server.models import resolve
from app.server.services import Services
from app.server.streaming import while_connected
from app.server.strict_json import JsonRoute

from .errors import RefusedError
from .replies import encode
from .wire import Name, Wire

_MOST_TEXTS = 2048
SomeText = Annotated[str, Field(min_length=1)]


class EmbeddingRequest(Wire):
    """Texts to turn into vectors."""

    model: Name
    input: (
        SomeText
        | Annotated[list[SomeText], Field(min_length=1, max_length=_MOST_TEXTS)]
        | Annotated[list[int], Field(min_length=1, max_length=_MOST_TEXTS)]
        | Annotated[list[list[int]], Field(min_length=1, max_length=_MOST_TEXTS)]
    )
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: Annotated[int, Field(ge=1)] | None = None
    user: str | None = None


class EmbeddingReply(Struct):
    """One text's vector: numbers, or their bytes as base64."""

    index: int
    embedding: list[float] | str
    object: str = "embedding"


class UsageReply(Struct):
    """Tokens read."""

    prompt_tokens: int
    total_tokens: int


class EmbeddingsReply(Struct):
    """All vectors, in the order of their texts."""

    data: list[EmbeddingReply]
    model: str
    usage: UsageReply
    object: str = "list"


def routes(services: Services) -> APIRouter:
    """The route, answering from ``services``."""
    router = APIRouter(tags=["OpenAI"], route_class=JsonRoute)

    @router.post("/v1/embeddings", response_class=Response)
    async def embeddings(asked: EmbeddingRequest, request: Request) -> Response:
        """Turns texts into vectors."""
        texts = _texts(asked)
        model = await resolve(services, asked.model, "embed")
        found = await while_connected(request, services.pool.embed(model, texts))
        meter_of(request.scope).count(model, "local", Usage(found.tokens))
        _require(asked, found)
        reply = EmbeddingsReply(
            [EmbeddingReply(place, _vector(found[place], asked)) for place in range(len(found))],
            model,
            UsageReply(found.tokens, found.tokens),
        )
        return Response(encode(reply), media_type="application/json")

    return router


def _texts(asked: EmbeddingRequest) -> list[str]:
    if isinstance(asked.input, str):
        return [asked.input]
    texts = [text for text in asked.input if isinstance(text, str)]
    if len(texts) != len(asked.input):
        raise RefusedError(
            "Unsupported value: 'input' as tokens is not supported with this model; send text.",
            "input",
            "unsupported_value",
        )
    return texts


def _require(asked: EmbeddingRequest, found: Embeddings) -> None:
    if found.truncated:
        raise RefusedError(
            f"Input {found.truncated[0]} is longer than this model reads. Split it into shorter texts.",
            "input",
            "context_length_exceeded",
        )
    if asked.dimensions not in (None, found.dimensions):
        raise RefusedError(
            f"Invalid value for 'dimensions': this model's vectors have {found.dimensions} numbers.",
            "dimensions",
            "invalid_value",
        )


def _vector(numbers: memoryview[float], asked: EmbeddingRequest) -> list[float] | str:
    if asked.encoding_format != "base64":
        return list(numbers)
    little = array("f", numbers)
    if sys.byteorder == "big":
        little.byteswap()
    return base64.b64encode(little).decode("ascii")

"""Routes of our own: ``/generate``, ``/analyze``, and which models are loaded."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from app.engine.slot import LoadedModel
from app.errors import EngineError, InvalidRequestError, PlaygroundError
from app.messages import ChatRequest, Delta, Finished, Message, ResponseFormat, Sampling, Started, TextDelta, Usage

from .collect import collect
from .error_shapes import shape, status_of
from .metering.answers import Metered
from .models import resolve
from .services import Services
from .streaming import EventStream, while_connected
from .strict_json import JsonRoute

Name = Annotated[str, Field(min_length=1, max_length=256)]
SomeText = Annotated[str, Field(min_length=1, max_length=1_000_000)]

_ANALYSE = (
    "You analyse texts. Give the sentiment (negative, neutral or positive) with a score from -1 to 1, the topics, the"
    " keywords, the language as a two-letter code, and a summary of one sentence. Answer with JSON."
)
_WORDS: dict[str, Any] = {"type": "array", "minItems": 1, "maxItems": 5, "items": {"type": "string", "maxLength": 30}}
_ANALYSIS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "sentiment": {"enum": ["negative", "neutral", "positive"]},
        "score": {"enum": [-1.0, -0.75, -0.5, -0.25, 0.0, 0.25, 0.5, 0.75, 1.0]},
        "topics": _WORDS,
        "keywords": _WORDS,
        "language": {"type": "string", "minLength": 2, "maxLength": 2},
        "summary": {"type": "string", "minLength": 1, "maxLength": 300},
    },
    "required": ["sentiment", "score", "topics", "keywords", "language", "summary"],
    "additionalProperties": False,
}
_ANALYSIS_TOKENS = 1024


class Wire(BaseModel):
    """Outside input: types are not guessed, and a name that nobody knows is refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class GenerateBody(Wire):
    """``POST /generate``."""

    prompt: SomeText
    model: Name | None = None
    system: str | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    max_tokens: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] | None = None
    stop: Annotated[list[Name], Field(max_length=16)] = []
    stream: bool = False


class AnalyzeBody(Wire):
    """``POST /analyze``."""

    text: SomeText
    model: Name | None = None


class ModelBody(Wire):
    """Which model."""

    model: Name


def routes(services: Services) -> APIRouter:
    """The routes, answering from ``services``."""
    router = APIRouter(tags=["Playground"], route_class=JsonRoute)

    @router.post("/generate", response_class=Response)
    async def generate(asked: GenerateBody, request: Request) -> Response:
        """Answers one prompt; with ``stream`` as server-sent events."""
        neutral = await _prompted(services, asked)
        deltas = Metered.of(services.router, request.scope).stream(neutral)
        if asked.stream:
            return EventStream(_events(deltas, neutral.model), failed=_failed, refused=_refused)
        whole = await while_connected(request, collect(deltas))
        ended = _ended(whole.model or neutral.model, Finished(whole.finish, whole.usage, whole.timings))
        return _json({"text": whole.text, "thinking": whole.thinking, **ended})

    @router.post("/analyze", response_class=Response)
    async def analyze(asked: AnalyzeBody, request: Request) -> Response:
        """Sentiment, topics, keywords, language and a summary of a text."""
        model = await resolve(services, asked.model or services.settings.models.default)
        neutral = ChatRequest(
            model=model,
            messages=(Message.system(_ANALYSE), Message.user(asked.text)),
            sampling=Sampling(temperature=0.0, max_tokens=_ANALYSIS_TOKENS),
            response_format=ResponseFormat(json_schema=_ANALYSIS),
        )
        whole = await while_connected(request, collect(Metered.of(services.router, request.scope).stream(neutral)))
        try:
            found = msgspec.json.decode(whole.text)
        except msgspec.DecodeError as error:
            raise EngineError(
                f"The model {model} did not finish its analysis.", "Send a shorter text, or choose a larger model."
            ) from error
        return _json({"model": model, "analysis": found, "usage": _usage(whole.usage)})

    @router.get("/models/loaded", response_class=Response)
    async def loaded() -> Response:
        """The models that are ready, the last used first."""
        return _json({"models": [_described(model) for model in services.pool.loaded()]})

    @router.post("/models/load", response_class=Response)
    async def load(asked: ModelBody, request: Request) -> Response:
        """Loads a model; answers when it is ready."""
        if services.router.is_remote(asked.model):
            raise InvalidRequestError(
                f"The model {asked.model!r} is not on this machine, so there is nothing to load.", "Ask it as it is."
            )
        return _json(_described(await while_connected(request, services.pool.load(asked.model))))

    @router.post("/models/unload", response_class=Response)
    async def unload(asked: ModelBody, request: Request) -> Response:
        """Closes a model once its running answers have ended."""
        services.catalogue.get(asked.model)
        await while_connected(request, services.pool.unload(asked.model, drain=True))
        return _json({"model": asked.model, "loaded": False})

    return router


async def _prompted(services: Services, asked: GenerateBody) -> ChatRequest:
    most = services.settings.server.max_output_tokens
    return ChatRequest(
        model=await resolve(services, asked.model or services.settings.models.default),
        messages=(*((Message.system(asked.system),) if asked.system else ()), Message.user(asked.prompt)),
        sampling=Sampling(
            temperature=asked.temperature,
            top_p=asked.top_p,
            seed=asked.seed,
            stop=tuple(asked.stop),
            max_tokens=min(asked.max_tokens or most, most) if most else asked.max_tokens,
        ),
    )


async def _events(deltas: AsyncGenerator[Delta, None], model: str) -> AsyncGenerator[bytes, None]:
    async with aclosing(deltas) as stream:
        async for delta in stream:
            match delta:
                case Started():
                    model = delta.model
                case TextDelta(text) if text:
                    yield b"data: " + msgspec.json.encode({"text": text}) + b"\n\n"
                case Finished():
                    yield b"data: " + msgspec.json.encode({"done": True, **_ended(model, delta)}) + b"\n\n"
                case _:
                    pass


def _ended(model: str, finished: Finished) -> dict[str, Any]:
    return {"model": model, "finish_reason": finished.reason, "usage": _usage(finished.usage)}


def _usage(usage: Usage) -> dict[str, int]:
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "cached_tokens": usage.cached_tokens,
    }


def _described(model: LoadedModel) -> dict[str, Any]:
    return {
        "model": model.name,
        "loaded": True,
        "description": model.loaded.description,
        "context": model.loaded.context,
        "context_from": model.window.reason,
        "device": model.loaded.device,
        "size_bytes": model.loaded.size_bytes,
        "requests": model.requests,
        "warnings": model.loaded.warnings,
    }


def _json(reply: Any) -> Response:
    return Response(msgspec.json.encode(reply), media_type="application/json")


def _refused(error: PlaygroundError) -> Response:
    body, headers = shape("/generate", error)
    return Response(body, status_of(error), headers)


def _failed(error: PlaygroundError) -> bytes:
    return b"data: " + shape("/generate", error)[0] + b"\n\n"

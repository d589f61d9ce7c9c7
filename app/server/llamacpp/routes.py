"""``/completion``, ``/infill``, ``/embedding``, ``/props``, ``/slots``, and OpenAI's routes without ``/v1``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import msgspec
from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from app import __version__
from app.engine.hardware import memory
from app.engine.infill import Gap
from app.engine.window import foreseen
from app.errors import InvalidRequestError, PlaygroundError
from app.messages import (
    ChatRequest,
    Delta,
    Finished,
    ResponseFormat,
    Sampling,
    Started,
    TextDelta,
    ThinkingDelta,
    Usage,
)
from app.server.collect import collect
from app.server.error_shapes import shape, status_of
from app.server.lenient import JsonWhateverItSays
from app.server.metering.answers import Metered
from app.server.metering.meter import meter_of
from app.server.models import default_of, resolve
from app.server.openai import models as openai_models
from app.server.services import Services
from app.server.streaming import EventStream, while_connected

from . import chat, tokens
from .gap import gap_of
from .wire import CompletionBody, CompletionFields, EmbeddingBody, InfillBody

_PATH = "/completion"
_SEEDS = 2**32
_STOP_TYPES = {"stop": "eos", "length": "limit", "tool_calls": "eos", "content_filter": "eos"}


def routes(services: Services) -> APIRouter:
    """The routes, answering from ``services``."""
    router = APIRouter(tags=["llama.cpp"], route_class=JsonWhateverItSays)

    @router.post("/completions", response_class=Response, operation_id="completions_of_llamacpp")
    @router.post("/completion", response_class=Response)
    async def completion(asked: CompletionBody, request: Request) -> Response:
        """Continues a prompt; with ``stream`` as server-sent events."""
        model = await resolve(services, asked.model or services.settings.models.default)
        prompt = asked.prompt if isinstance(asked.prompt, str) else tuple(asked.prompt)
        return await _continue(services, asked, model, prompt, request)

    @router.post("/infill", response_class=Response)
    async def infill(asked: InfillBody, request: Request) -> Response:
        """Writes the code that is missing between two pieces; with ``stream`` as server-sent events."""
        model = await resolve(services, asked.model or services.settings.models.default)
        prompt = await while_connected(request, _gap_filled(services, asked, model))
        return await _continue(services, asked, model, prompt, request)

    @router.post("/embeddings", response_class=Response, operation_id="embeddings_of_llamacpp")
    @router.post("/embedding", response_class=Response)
    async def embedding(asked: EmbeddingBody, request: Request) -> Response:
        """Turns texts into vectors."""
        texts = asked.texts
        if not texts or not all(texts):
            raise InvalidRequestError('"content" or "input" must be a text, or several.')
        model = await resolve(services, asked.model or await default_of(services, "embed"), "embed")
        found = await while_connected(request, services.pool.embed(model, texts))
        meter_of(request.scope).count(model, "local", Usage(found.tokens))
        return _json([{"index": place, "embedding": [list(found[place])]} for place in range(len(found))])

    @router.get("/props", response_class=Response)
    async def props() -> Response:
        """What the server is set to, and the default model's context window: as it is loaded, or would be."""
        default = services.settings.models.default
        context, places = await _size(services, default)
        return _json(
            {
                "default_generation_settings": {"n_ctx": context, "params": {}},
                "total_slots": places,
                "model_path": default,
                "model_alias": default,
                "modalities": {"vision": False, "audio": False},
                "build_info": f"playground {__version__}",
            }
        )

    @router.get("/slots", response_class=Response)
    async def slots() -> Response:
        """The places in which loaded models answer."""
        found = [(model, place) for model in services.pool.loaded() for place in range(model.loaded.sequences)]
        return _json(
            [
                {
                    "id": number,
                    "model": model.name,
                    "n_ctx": model.loaded.context,
                    "is_processing": place < model.requests,
                }
                for number, (model, place) in enumerate(found)
            ]
        )

    router.include_router(tokens.routes(services))
    router.include_router(chat.routes(services))
    _add_unprefixed(router, openai_models.routes(services))
    return router


async def _size(services: Services, name: str) -> tuple[int, int]:
    """A model's context window, 0 where it is not known, and in how many places it answers."""
    engine = services.settings.engine
    loaded = next((model.loaded for model in services.pool.loaded() if model.name == name), None)
    if loaded is not None:
        return loaded.context, loaded.sequences
    entry = next((entry for entry in services.catalogue.entries if entry.name == name), None)
    if entry is None:
        return 0, engine.sequences
    path = services.store.path_of(entry)
    window = await asyncio.to_thread(foreseen, entry, path, engine, memory().available)
    return window.tokens, engine.sequences


async def _continue(
    services: Services, asked: CompletionFields, model: str, prompt: str | tuple[int, ...], request: Request
) -> Response:
    neutral = _request(asked, model, prompt, services.settings.server.max_output_tokens)
    deltas = Metered.of(services.router, request.scope).stream(neutral)
    if asked.stream:
        return EventStream(_events(deltas, model), failed=_failed, refused=_refused)
    whole = await while_connected(request, collect(deltas))
    ended = Finished(whole.finish, whole.usage, whole.timings, whole.stop)
    return _json(_ended(whole.thinking + whole.text, ended, whole.model or model))


async def _gap_filled(services: Services, asked: InfillBody, model: str) -> tuple[int, ...]:
    # As there: first whether the model can, then whether the request is one.
    await services.pool.infill(model, Gap(prefix="", suffix=""))
    return await services.pool.infill(model, gap_of(asked))


def _add_unprefixed(router: APIRouter, original: APIRouter) -> None:
    for route in original.routes:
        if isinstance(route, APIRoute):
            router.add_api_route(
                route.path.removeprefix("/v1"),
                route.endpoint,
                methods=sorted(route.methods or ()),
                response_class=Response,
                include_in_schema=False,
            )


def _request(asked: CompletionFields, model: str, prompt: str | tuple[int, ...], most_tokens: int) -> ChatRequest:
    asked.refuse_foreign()
    wanted = asked.wanted_tokens
    if wanted == 0:
        name = "max_tokens" if asked.n_predict is None else "n_predict"
        raise InvalidRequestError(f"{name} is 0; expected 1 or more, or -1.")
    if wanted is not None and wanted < 0:
        wanted = None
    if most_tokens:
        wanted = min(wanted or most_tokens, most_tokens)
    return ChatRequest(
        model=model,
        messages=(),
        prompt=prompt,
        sampling=Sampling(
            temperature=asked.temperature,
            top_k=asked.top_k,
            top_p=asked.top_p,
            min_p=asked.min_p,
            repeat_penalty=asked.repeat_penalty,
            repeat_last_n=asked.repeat_last_n,
            presence_penalty=asked.presence_penalty,
            frequency_penalty=asked.frequency_penalty,
            seed=None if asked.seed is None or asked.seed < 0 else asked.seed % _SEEDS,
            logit_bias=asked.biases,
            stop=tuple(asked.stop or ()),
            max_tokens=wanted,
        ),
        response_format=ResponseFormat(asked.json_schema, asked.grammar or None),
    )


async def _events(deltas: AsyncGenerator[Delta, None], model: str) -> AsyncGenerator[bytes, None]:
    async with aclosing(deltas) as stream:
        async for delta in stream:
            match delta:
                case Started():
                    model = delta.model
                case TextDelta(text) | ThinkingDelta(text) if text:
                    # A plain continuation knows no thoughts: all of it is content, in its order.
                    yield _event({"index": 0, "content": text, "tokens": [], "stop": False})
                case Finished():
                    yield _event(_ended("", delta, model))
                case _:
                    pass


def _ended(content: str, finished: Finished, model: str) -> dict[str, Any]:
    usage, timings = finished.usage, finished.timings
    fresh = usage.prompt_tokens - usage.cached_tokens
    return {
        "index": 0,
        "content": content,
        "tokens": [],
        "id_slot": -1,
        "stop": True,
        "model": model,
        "tokens_predicted": usage.completion_tokens,
        "tokens_evaluated": usage.prompt_tokens,
        "tokens_cached": usage.cached_tokens,
        "truncated": False,
        "stop_type": "word" if finished.stop is not None else _STOP_TYPES[finished.reason],
        "stopping_word": finished.stop or "",
        "timings": {
            "prompt_n": fresh,
            "prompt_ms": timings.prefill * 1000,
            "prompt_per_second": fresh / timings.prefill if timings.prefill else 0.0,
            "predicted_n": usage.completion_tokens,
            "predicted_ms": timings.decode * 1000,
            "predicted_per_second": timings.tokens_per_second(usage.completion_tokens),
        },
    }


def _event(data: Any) -> bytes:
    return b"data: " + msgspec.json.encode(data) + b"\n\n"


def _json(reply: Any) -> Response:
    return Response(msgspec.json.encode(reply), media_type="application/json; charset=utf-8")


def _refused(error: PlaygroundError) -> Response:
    body, headers = shape(_PATH, error)
    return Response(body, status_of(error), headers)


def _failed(error: PlaygroundError) -> bytes:
    return b"data: " + shape(_PATH, error)[0] + b"\n\n"

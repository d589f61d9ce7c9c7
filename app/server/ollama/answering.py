"""``POST /api/chat``, ``/api/generate`` and ``/api/embed``."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.engine.embeddings import Embeddings
from app.errors import InvalidRequestError, PlaygroundError
from app.messages import ChatRequest, Usage
from app.server.collect import collect
from app.server.error_shapes import shape, status_of
from app.server.lenient import JsonWhateverItSays
from app.server.metering.answers import Metered
from app.server.metering.meter import meter_of
from app.server.models import resolve
from app.server.services import Services
from app.server.streaming import EventStream, while_connected

from .asking import chat_of, name_of, prompt_of
from .replies import Lines, encode
from .wire import Asked, ChatBody, EmbedBody, EmbeddingsBody, GenerateBody

_PATH = "/api/"
_JSON = "application/json; charset=utf-8"


def routes(services: Services) -> APIRouter:
    """The routes, answering from ``services``."""
    router = APIRouter(tags=["Ollama"], route_class=JsonWhateverItSays)
    most = services.settings.server.max_output_tokens

    @router.post("/api/chat", response_class=Response)
    async def chat(asked: ChatBody, request: Request) -> Response:
        """Answers a conversation, as lines of JSON unless ``stream`` is false. Without messages it only loads."""
        model = await resolve(services, name_of(asked.model))
        lines = _lines(services, asked, chat=True)
        if not asked.messages:
            return await _only_loaded(services, asked, model, lines, request)
        return await _answer(services, asked, chat_of(asked, model, most), lines, request)

    @router.post("/api/generate", response_class=Response)
    async def generate(asked: GenerateBody, request: Request) -> Response:
        """Answers a prompt, as lines of JSON unless ``stream`` is false. Without a prompt it only loads."""
        model = await resolve(services, name_of(asked.model))
        lines = _lines(services, asked, chat=False)
        if not (asked.prompt or asked.images):
            return await _only_loaded(services, asked, model, lines, request)
        return await _answer(services, asked, prompt_of(asked, model, most), lines, request)

    @router.post("/api/embed", response_class=Response)
    async def embed(asked: EmbedBody, request: Request) -> Response:
        """Turns texts into vectors."""
        texts = [asked.input] if isinstance(asked.input, str) else asked.input
        found = await _vectors(services, asked.model, texts, request)
        if found is None:
            return _json({"model": asked.model, "embeddings": []})
        if found.truncated and asked.truncate is False:
            raise InvalidRequestError(f"Input {found.truncated[0]} is longer than this model reads.", "Split it.")
        if asked.dimensions not in (None, 0, found.dimensions):
            raise InvalidRequestError(f"dimensions: this model's vectors have {found.dimensions} numbers.")
        vectors = [list(found[place]) for place in range(len(found))]
        return _json({"model": asked.model, "embeddings": vectors, "prompt_eval_count": found.tokens})

    @router.post("/api/embeddings", response_class=Response)
    async def embeddings(asked: EmbeddingsBody, request: Request) -> Response:
        """Turns one text into a vector; the older form."""
        texts = [asked.prompt] if asked.prompt else []
        found = await _vectors(services, asked.model, texts, request)
        return _json({"embedding": list(found[0]) if found else []})

    return router


def _lines(services: Services, asked: Asked, *, chat: bool) -> Lines:
    return Lines(asked.model, chat=chat, with_thinking=asked.think not in (False, "false"), clock=services.clock)


async def _answer(services: Services, asked: Asked, neutral: ChatRequest, lines: Lines, request: Request) -> Response:
    router = Metered.of(services.router, request.scope)
    deltas = router.stream(neutral)
    if asked.streamed:
        return EventStream(
            lines.of(deltas),
            failed=_failed,
            refused=_refused,
            media_type="application/x-ndjson",
        )
    reply = lines.whole(await while_connected(request, collect(deltas)))
    return Response(encode(reply), media_type=_JSON)


async def _only_loaded(services: Services, asked: Asked, model: str, lines: Lines, request: Request) -> Response:
    if asked.leaves:
        await while_connected(request, services.pool.unload(model, drain=True))
        return _json(lines.only("unload"))
    if any(entry.name == model for entry in services.catalogue.entries):
        await while_connected(request, services.pool.load(model))
    return _json(lines.only("load"))


async def _vectors(services: Services, name: str, texts: Sequence[str], request: Request) -> Embeddings | None:
    model = await resolve(services, name_of(name), "embed")
    if not texts:
        return None
    if not all(texts):
        raise InvalidRequestError("An empty text has no vector.", "Leave it out.")
    found = await while_connected(request, services.pool.embed(model, texts))
    meter_of(request.scope).count(model, "local", Usage(found.tokens))
    return found


def _json(reply: object) -> Response:
    return Response(encode(reply), media_type=_JSON)


def _refused(error: PlaygroundError) -> Response:
    body, headers = shape(_PATH, error)
    return Response(body, status_of(error), headers)


def _failed(error: PlaygroundError) -> bytes:
    return shape(_PATH, error)[0] + b"\n"

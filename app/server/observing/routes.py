"""``/health``, ``/readiness``, ``/metrics`` and ``/collection.json``."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter, Request
from msgspec import Struct
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response

from app.errors import PlaygroundError
from app.server.models import known
from app.server.services import Services

from .collection import collection_of
from .parts import Observing


class Health(Struct, frozen=True):
    """``GET /health``. In llama.cpp's words, whose clients ask for it."""

    status: str = "ok"


class Readiness(Struct, frozen=True):
    """``GET /readiness``: whether a request could be answered now, and if not, why."""

    ready: bool
    reasons: tuple[str, ...] = ()


_READY: dict[int | str, dict[str, Any]] = {503: {"description": "Not now; `reasons` says why."}}


def routes(services: Services, observing: Observing) -> APIRouter:
    """The routes, about ``services`` as ``observing`` sees them."""
    router = APIRouter(tags=["Observing"])

    @router.get("/health", response_class=Response)
    @router.get("/v1/health", response_class=Response, operation_id="health_of_llamacpp")
    async def health() -> Response:
        """Whether the process answers."""
        return _json(Health())

    @router.get("/readiness", response_class=Response, responses=_READY)
    async def readiness() -> Response:
        """Whether a request could be answered now."""
        reasons = (*await _missing(services, observing.needs_vault), *_full(services))
        return _json(Readiness(not reasons, reasons), 503 if reasons else 200)

    if services.settings.observability.metrics != "off":

        @router.get("/metrics", response_class=Response)
        async def metrics() -> Response:
            """Counters and histograms, in Prometheus' text format."""
            return Response(observing.measures.text(), media_type=CONTENT_TYPE_LATEST)

    @router.get("/collection.json", response_class=Response)
    async def collection(request: Request) -> Response:
        """Every route as a request to send, for Postman, Bruno, Insomnia and others that import such collections."""
        host = request.headers.get("host", "127.0.0.1")
        # The first of the catalogue of each kind, except that the default model is what chats are asked of.
        models: dict[str, str] = {entry.role: entry.name for entry in reversed(services.catalogue.entries)}
        models["chat"] = services.settings.models.default
        return _json(collection_of(request.app.openapi(), f"{request.scope['scheme']}://{host}", models))

    return router


async def _missing(services: Services, needs_vault: bool) -> list[str]:
    """What a request would be refused for. Nothing here names what is on this machine: anybody may ask."""
    reasons = []
    if needs_vault and services.vault.state != "open":
        reasons.append("The vault is locked, so no key opens.")
    try:
        if services.settings.models.default not in await known(services):
            reasons.append("The default model is not on this machine.")
    except PlaygroundError as error:
        reasons.append(f"The models cannot be listed: {error.code}.")
    return reasons


def _full(services: Services) -> list[str]:
    room = services.settings.engine.queue
    full = [model for model in services.pool.loaded() if model.requests >= model.loaded.sequences + room]
    return ["The queue of a model is full."] if full else []


def _json(reply: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(reply), status, media_type="application/json")

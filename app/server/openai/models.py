"""``GET /v1/models`` and ``GET /v1/models/{model}``."""

from __future__ import annotations

from fastapi import APIRouter
from msgspec import Struct
from starlette.responses import Response

from app.server.models import known, shown
from app.server.services import Services

from .errors import RefusedError
from .replies import encode


class ModelReply(Struct):
    """A model."""

    id: str
    created: int
    owned_by: str
    object: str = "model"


class ModelList(Struct):
    """All of them."""

    data: list[ModelReply]
    object: str = "list"


def routes(services: Services) -> APIRouter:
    """The routes, answering from ``services``."""
    router = APIRouter(tags=["OpenAI"])
    began = int(services.clock())

    def described(name: str) -> ModelReply:
        return ModelReply(name, began, "playground")

    @router.get("/v1/models", response_class=Response)
    async def models() -> Response:
        """The models that can be asked now."""
        listed = ModelList([described(name) for name in await known(services)])
        return Response(encode(listed), media_type="application/json")

    @router.get("/v1/models/{model:path}", response_class=Response)
    async def model(model: str) -> Response:
        """One of them. A name that another model answers to is told as it was asked: programs compare it."""
        if await shown(services, model) is None:
            raise RefusedError(f"The model '{model[:256]}' does not exist", "model", "model_not_found", status=404)
        return Response(encode(described(model)), media_type="application/json")

    return router

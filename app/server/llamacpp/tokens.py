"""``/tokenize``, ``/detokenize`` and ``/apply-template``."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import Response

from app.server.lenient import JsonWhateverItSays
from app.server.models import resolve
from app.server.services import Services
from app.server.streaming import while_connected

from .chat import read
from .wire import DetokenizeBody, TokenizeBody


def routes(services: Services) -> APIRouter:
    """The routes, answering from ``services``."""
    router = APIRouter(tags=["llama.cpp"], route_class=JsonWhateverItSays)

    async def model_of(name: str | None) -> str:
        return await resolve(services, name or services.settings.models.default)

    @router.post("/tokenize", response_class=Response)
    async def tokenize(asked: TokenizeBody, request: Request) -> Response:
        """The tokens of a text, in the model's vocabulary; with ``with_pieces`` also what each stands for."""
        model = await model_of(asked.model)
        if asked.content is None:
            return _json({"tokens": []})
        found = await while_connected(
            request,
            services.pool.tokenize(
                model,
                asked.content,
                add_special=asked.add_special,
                parse_special=asked.parse_special,
                with_pieces=asked.with_pieces,
            ),
        )
        if asked.with_pieces:
            return _json({"tokens": [{"id": token.number, "piece": _shown(token.piece)} for token in found]})
        return _json({"tokens": [token.number for token in found]})

    @router.post("/detokenize", response_class=Response)
    async def detokenize(asked: DetokenizeBody, request: Request) -> Response:
        """The text that tokens stand for."""
        model = await model_of(asked.model)
        if not asked.tokens:
            return _json({"content": ""})
        return _json({"content": await while_connected(request, services.pool.detokenize(model, asked.tokens))})

    @router.post("/apply-template", response_class=Response)
    async def apply_template(asked: dict[str, Any], request: Request) -> Response:
        """The text that the model would be given for a chat; nothing is answered."""
        _body, neutral = await read(services, asked)
        return _json({"prompt": await while_connected(request, services.pool.apply_template(neutral))})

    return router


def _shown(piece: bytes) -> str | list[int]:
    """What a token stands for: text where it is that, else its bytes."""
    try:
        return piece.decode()
    except UnicodeDecodeError:
        return list(piece)


def _json(reply: Any) -> Response:
    return Response(msgspec.json.encode(reply), media_type="application/json; charset=utf-8")

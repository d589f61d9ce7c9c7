"""``POST /v1/messages`` and ``POST /v1/messages/count_tokens``."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.errors import InvalidRequestError, PlaygroundError
from app.server.collect import collect
from app.server.error_shapes import shape, status_of
from app.server.metering.answers import Metered
from app.server.models import resolve
from app.server.services import Services
from app.server.streaming import EventStream, while_connected
from app.server.strict_json import JsonRoute

from .asking import request_of
from .events import events_of
from .replies import CountReply, encode, message_of
from .wire import CountRequest, MessagesRequest

_PATH = "/v1/messages"


def routes(services: Services) -> APIRouter:
    """The routes, answering from ``services``."""
    router = APIRouter(tags=["Anthropic"], route_class=JsonRoute)

    @router.post(_PATH, response_class=Response)
    async def messages(asked: MessagesRequest, request: Request) -> Response:
        """Answers a conversation; with ``stream`` as server-sent events."""
        model = await resolve(services, asked.model)
        neutral = request_of(asked, model, services.settings.server.max_output_tokens)
        with_thinking = asked.thinking is not None and asked.thinking.shown
        router = Metered.of(services.router, request.scope)
        deltas = router.stream(neutral)
        if asked.stream:
            events = events_of(deltas, model, with_thinking=with_thinking)
            return EventStream(events, failed=_failed, refused=_refused)
        whole = await while_connected(request, collect(deltas))
        reply = message_of(whole, whole.model or model, with_thinking=with_thinking)
        return Response(encode(reply), media_type="application/json")

    @router.post(f"{_PATH}/count_tokens", response_class=Response)
    async def count_tokens(asked: CountRequest, request: Request) -> Response:
        """The length of a prompt in the model's tokens; nothing is answered.

        Anthropic's own models are asked before this, by ``app.server.passing``.
        """
        model = await resolve(services, asked.model)
        if services.router.is_remote(model):
            raise InvalidRequestError(
                f"The tokens of a prompt for {model!r} cannot be counted: its provider only tells them with an answer.",
                "Ask it, and read the usage.",
            )
        neutral = request_of(asked, model)
        return _json(CountReply(await while_connected(request, services.pool.count_tokens(neutral))))

    return router


def _json(reply: object) -> Response:
    return Response(encode(reply), media_type="application/json")


def _refused(error: PlaygroundError) -> Response:
    body, headers = shape(_PATH, error)
    return Response(body, status_of(error, _PATH), headers)


def _failed(error: PlaygroundError) -> bytes:
    return b"event: error\ndata: " + shape(_PATH, error)[0] + b"\n\n"

"""Requests for remote models that pass through as they came, to endpoints that speak the protocol they are written in.

This stands between the gate and the routes: what passes is admitted, measured and limited as everything else is, and
fields that this server does not know are no reason to refuse it. What cannot pass goes on to the routes, to be
translated.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec
from msgspec import Struct
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.backends.raw import RawRequest
from app.backends.rules import WireProtocol
from app.server.gate.heads import TextHeaders
from app.server.ollama.asking import name_of
from app.server.services import Services
from app.server.streaming import ClientGoneError, unless_gone

from .answer import PassedAnswer


class _Way(NamedTuple):
    protocol: WireProtocol
    streams: bool = False
    """What holds where the request does not say."""
    counts: bool = False
    limits: tuple[str, ...] = ()
    """Fields that say how long an answer may be; the first is set where none is."""


_WAYS: Mapping[str, _Way] = {
    "/v1/chat/completions": _Way("openai-chat", limits=("max_completion_tokens", "max_tokens")),
    "/v1/completions": _Way("openai-completions", limits=("max_tokens",)),
    "/v1/responses": _Way("openai-responses", limits=("max_output_tokens",)),
    "/v1/messages": _Way("anthropic", limits=("max_tokens",)),
    "/v1/messages/count_tokens": _Way("anthropic", counts=True),
    "/api/chat": _Way("ollama", streams=True),
    "/api/generate": _Way("ollama", streams=True),
}


class _Head(Struct):
    model: str
    stream: bool | None = None


_HEAD = msgspec.json.Decoder(_Head)
_BODY = msgspec.json.Decoder(dict[str, object])


class Passing:
    """An ASGI application that passes on what can pass, and leaves the rest to another.

    Args:
        app: the routes.
        services: whose router is asked.
    """

    def __init__(self, app: ASGIApp, services: Services) -> None:
        self._app, self._services = app, services
        self._most_tokens = services.settings.server.max_output_tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection."""
        way = _WAYS.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        if way is None:
            await self._app(scope, receive, send)
            return
        body, last = await _whole(receive)
        asked = self._asked(way, scope, body) if body is not None else None
        if asked is not None:
            passage = PassedAnswer(scope, send, asked, len(body or b""))
            try:
                passed = await unless_gone(scope, receive, passage.answer(self._services))
            except ClientGoneError:
                return
            if passed:
                return
        replayed: list[Message] = [last if body is None else {"type": "http.request", "body": body}]

        async def again() -> Message:
            return replayed.pop() if replayed else await receive()

        await self._app(scope, again, send)

    def _asked(self, way: _Way, scope: Scope, body: bytes) -> RawRequest | None:
        """The request, if it is for a remote model; what is wrong with any other, the routes say."""
        try:
            head = _HEAD.decode(body)
            name = name_of(head.model) if way.protocol == "ollama" else head.model
            if not self._services.router.is_remote(name):
                return None
            whole = _BODY.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        kind = next((value for name, value in scope["headers"] if name == b"content-type"), b"application/json")
        if way.protocol != "ollama" and b"json" not in kind.lower():
            return None  # as the routes of these protocols, which refuse it
        if self._most_tokens:
            self._limit(way, whole)
        return RawRequest(
            protocol=way.protocol,
            model=name,
            body=whole,
            headers=TextHeaders(scope["headers"]),
            stream=way.streams if head.stream is None else head.stream,
            counts=way.counts,
        )

    def _limit(self, way: _Way, body: dict[str, object]) -> None:
        """No answer longer than this server allows, whatever is asked."""
        if way.protocol == "ollama":
            options = body.get("options")
            chosen = dict(options) if isinstance(options, dict) else {}
            chosen["num_predict"] = self._least(chosen.get("num_predict"))
            body["options"] = chosen
            return
        said = [name for name in way.limits if name in body] or way.limits[:1]
        for name in said:
            body[name] = self._least(body.get(name))

    def _least(self, asked: object) -> int:
        sound = isinstance(asked, int) and not isinstance(asked, bool) and asked > 0
        return min(asked, self._most_tokens) if sound and isinstance(asked, int) else self._most_tokens


async def _whole(receive: Receive) -> tuple[bytes | None, Message]:
    """A request's body, and the last message that was received; no body when the client left before it was whole."""
    pieces: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None, message
        pieces.append(message.get("body", b""))
        if not message.get("more_body", False):
            return pieces[0] if len(pieces) == 1 else b"".join(pieces), message

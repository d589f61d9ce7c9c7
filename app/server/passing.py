"""Requests for remote models that pass through as they came, to endpoints that speak the protocol they are written in.

This stands between the gate and the routes: what passes is admitted, measured and limited as everything else is, and
fields that this server does not know are no reason to refuse it. What cannot pass goes on to the routes, to be
translated.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import aclosing
from typing import NamedTuple

import msgspec
from msgspec import Struct
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.backends.raw import RawAnswer, RawRequest
from app.backends.rules import WireProtocol
from app.errors import PlaygroundError
from app.messages import Rerouted, Usage
from app.routing.raw_usage import RawUsage

from .answerer import NAMES
from .error_shapes import shape, status_of
from .heads import TextHeaders
from .meter import meter_of
from .observing.exchange import note_error
from .ollama.asking import name_of
from .openai import errors as openai_errors
from .remote_errors import own_words
from .services import Services
from .streaming import ClientGoneError, unless_gone

_BYTES_A_TOKEN = 4
_OURS = frozenset(
    {"content-length", "connection", "transfer-encoding", "content-encoding", *NAMES.decode().split(", ")}
)
"""Headers that a provider does not say for us."""


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
            passage = _Passage(scope, send, asked, len(body or b""))
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


class _Passage:
    """One request on its way through."""

    def __init__(self, scope: Scope, send: Send, asked: RawRequest, size: int) -> None:
        self._scope, self._send, self._asked = scope, send, asked
        self._path: str = scope["path"]
        self._size = size
        self._meter = meter_of(scope)
        self._began = time.perf_counter()
        self._first: float | None = None
        self._usage: RawUsage | None = None
        """Looks for the answer's tokens, where its pieces do not by themselves."""
        self._events = 0

    async def answer(self, services: Services) -> bool:
        """Answers; gives false, with nothing sent, when the request must be translated."""
        exchange = self._meter.exchange
        if exchange is not None:
            exchange.asked(self._asked.model)
        try:
            found = await services.router.raw(self._asked)
        except PlaygroundError as error:
            await self._refuse(error)
            return True
        if found is None:
            return False
        outcome = "stopped"
        self._usage = None if hasattr(type(found.pieces), "usage") else RawUsage()
        try:
            async with aclosing(found.pieces):
                outcome = await (self._stream(found) if self._asked.stream else self._in_one(found))
        finally:
            if not self._asked.counts:
                self._count(found, outcome)
        return True

    async def _stream(self, found: RawAnswer) -> str:
        outcome = "finished"
        started = False
        try:
            async for piece in found.pieces:
                self._saw(piece, found.model)
                if not started:
                    started = True
                    await self._start(found, None)
                await self._send({"type": "http.response.body", "body": piece, "more_body": True})
        except PlaygroundError as error:
            if not started:
                await self._refuse(error)
                return "failed"
            note_error(self._scope, error, status_of(error, self._path))
            outcome = "failed"
            await self._send({"type": "http.response.body", "body": self._failed(error), "more_body": True})
        if not started:
            await self._start(found, None)
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})
        return outcome

    async def _in_one(self, found: RawAnswer) -> str:
        pieces: list[bytes] = []
        try:
            async for piece in found.pieces:
                if found.whole:
                    # It goes first; what is noted of it nobody need wait for.
                    self._begins()
                    await self._send_whole(found, piece)
                self._saw(piece, found.model)
                pieces.append(piece)
        except PlaygroundError as error:
            await self._refuse(error)
            return "failed"
        if not found.whole:
            await self._send_whole(found, b"".join(pieces))
        return "finished"

    async def _send_whole(self, found: RawAnswer, body: bytes) -> None:
        await self._start(found, len(body))
        await self._send({"type": "http.response.body", "body": body, "more_body": False})

    def _saw(self, piece: bytes, model: str) -> None:
        first = self._begins()
        exchange = self._meter.exchange
        if exchange is not None and not self._events:
            exchange.began(model, first)
        if self._usage is not None:
            self._usage.feed(piece)
        self._events += piece.count(b"\n\n") or piece.count(b"\n") or 1
        if exchange is not None:
            exchange.pieces = self._events

    def _begins(self) -> float:
        """The answer's first piece is here; gives the seconds that it took."""
        if self._first is None:
            self._first = time.perf_counter() - self._began
        return self._first

    async def _start(self, found: RawAnswer, length: int | None) -> None:
        if self._meter.exchange is not None:
            answerer = self._meter.exchange.answerer
            answerer.answers(found.model, found.backend)
            if found.instead_of:
                answerer.rerouted(Rerouted(found.instead_of, found.model, found.reason))
        headers = {name: value for name, value in found.headers.items() if name not in _OURS}
        if length is None:
            headers |= {"cache-control": "no-cache", "x-accel-buffering": "no"}
        else:
            headers["content-length"] = str(length)
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        await self._send({"type": "http.response.start", "status": found.status, "headers": raw})

    async def _refuse(self, error: PlaygroundError) -> None:
        """Says an error in the provider's own words, where those are for this client, or in ours."""
        status = status_of(error, self._path)
        note_error(self._scope, error, status)
        body, headers = shape(self._path, error)
        own = own_words(error, self._asked.protocol, status)
        if own is not None:
            body = own
            headers["content-length"] = str(len(own))
        await Response(body, status, headers)(self._scope, _nothing, self._send)

    def _failed(self, error: PlaygroundError) -> bytes:
        """The event that tells of an error in mid-stream."""
        match self._asked.protocol:
            case "ollama":
                return shape(self._path, error)[0] + b"\n"
            case "anthropic":
                return b"event: error\ndata: " + shape(self._path, error)[0] + b"\n\n"
            case "openai-responses":
                told = {"type": "error", "sequence_number": self._events, "code": error.code, "param": None}
                return b"event: error\ndata: " + msgspec.json.encode({**told, "message": str(error)}) + b"\n\n"
            case _:
                return openai_errors.event(error)

    def _count(self, found: RawAnswer, outcome: str) -> None:
        """Tokens as the provider told them; where it told none, one an event, and of the prompt about as many."""
        usage = self._usage.so_far if self._usage is not None else _told_by(found)
        if not usage.total_tokens:
            usage = Usage(self._size // _BYTES_A_TOKEN, self._events)
        decode = time.perf_counter() - self._began - self._first if self._first is not None else None
        self._meter.count(
            found.model, found.backend, usage, first_token_s=self._first, decode_s=decode, outcome=outcome
        )


def _told_by(found: RawAnswer) -> Usage:
    """The tokens that an answer's pieces have found by themselves."""
    told = getattr(found.pieces, "usage", None)
    return told if isinstance(told, Usage) else Usage()


async def _nothing() -> Message:
    return {"type": "http.disconnect"}


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

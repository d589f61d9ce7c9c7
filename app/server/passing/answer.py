"""The answer to a request that passes through: sent as it comes, counted behind it, its errors in the right words."""

from __future__ import annotations

import time
from contextlib import aclosing

import msgspec
from starlette.responses import Response
from starlette.types import Message, Scope, Send

from app.backends.raw import RawAnswer, RawRequest
from app.errors import PlaygroundError
from app.messages import Rerouted, Usage
from app.routing.answering import FROM_CACHE, Answering
from app.routing.around import price
from app.routing.raw_usage import RawUsage
from app.server.answerer import NAMES
from app.server.error_shapes import shape, status_of
from app.server.metering.meter import meter_of
from app.server.observing.exchange import note_error
from app.server.openai import errors as openai_errors
from app.server.remote_errors import own_words
from app.server.services import Services

_BYTES_A_TOKEN = 4
_OURS = frozenset(
    {"content-length", "connection", "transfer-encoding", "content-encoding", *NAMES.decode().split(", ")}
)
"""Headers that a provider does not say for us."""


class PassedAnswer:
    """One request on its way through, and its answer on the way back.

    Args:
        scope: of the request.
        send: the server's.
        asked: what is passed on.
        size: bytes of its body.
    """

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
                self._count(services.router, found, outcome)
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

    def _count(self, router: Answering, found: RawAnswer, outcome: str) -> None:
        """Tokens as the provider told them; where it told none, one an event, and of the prompt about as many."""
        usage = self._usage.so_far if self._usage is not None else _told_by(found)
        if not usage.total_tokens:
            usage = Usage(self._size // _BYTES_A_TOKEN, self._events)
        total = time.perf_counter() - self._began
        from_cache = found.backend == FROM_CACHE
        self._meter.count(
            found.model,
            found.backend,
            usage,
            first_token_s=self._first,
            decode_s=total - self._first if self._first is not None else None,
            cost=0.0 if from_cache else price(router, found.model, usage),
            outcome=outcome,
            total_s=total,
            from_cache=from_cache,
        )


def _told_by(found: RawAnswer) -> Usage:
    """The tokens that an answer's pieces have found by themselves."""
    told = getattr(found.pieces, "usage", None)
    return told if isinstance(told, Usage) else Usage()


async def _nothing() -> Message:
    return {"type": "http.disconnect"}

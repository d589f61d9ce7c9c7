"""Answers that pass through in their own protocol, given again byte for byte.

Nothing is kept but what its protocol itself calls whole and well ended: an error may come with status 200 too, as an
event in the stream.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, Callable
from typing import Any

import msgspec
from msgspec import Struct

from app.backends.raw import RawAnswer, RawRequest
from app.backends.rules import JsonObject, WireProtocol
from app.backends.sse import LinesParser, SseParser
from app.errors import PlaygroundError
from app.routing.answering import FROM_CACHE

from .fingerprints import Identity

_ENDED_WELL = frozenset({"stop", "tool_calls", "function_call", "end_turn", "stop_sequence", "tool_use", "completed"})
_OF_NO_MEANING = frozenset(
    {
        "accept",
        "accept-encoding",
        "accept-language",
        "authorization",
        "cache-control",
        "connection",
        "content-length",
        "content-type",
        "cookie",
        "host",
        "idempotency-key",
        "pragma",
        "traceparent",
        "tracestate",
        "user-agent",
        "x-api-key",
        "x-request-id",
    }
)
"""Headers of a client that change no answer. All others may: they are a part of what is asked."""


class KeptRaw(Struct, frozen=True):
    """An answer as it is kept."""

    status: int
    headers: dict[str, str]
    body: bytes
    model: str


def raw_fingerprint(request: RawRequest, identity: Identity) -> bytes | None:
    """32 bytes that are the same for the same request alone; ``None`` when it holds what cannot be written down."""
    headers = {
        name: value
        for name, value in request.headers.items()
        if name not in _OF_NO_MEANING and not name.startswith("x-stainless-")
    }
    body = {**request.body, "model": identity.name}
    what = ("raw", request.protocol, identity.depends_on, body, headers, request.stream)
    try:
        written = msgspec.json.encode(what, order="deterministic")
    except (TypeError, ValueError):
        return None
    return hashlib.sha256(written).digest()


def wants_fresh(request: RawRequest) -> bool:
    """Whether the client asks for an answer that is made anew."""
    said = request.headers.get("cache-control", "").lower()
    return "no-cache" in said or "no-store" in said


def encoded(kept: KeptRaw) -> bytes:
    """As bytes."""
    return msgspec.msgpack.encode(kept)


def given_again(answer: bytes) -> RawAnswer:
    """A kept answer.

    Raises:
        MsgspecError: when it cannot be read.
    """
    kept = msgspec.msgpack.decode(answer, type=KeptRaw)
    return RawAnswer(
        status=kept.status,
        headers=kept.headers,
        pieces=_OnePiece(kept.body),
        whole=True,
        model=kept.model,
        backend=FROM_CACHE,
    )


class Collecting(AsyncGenerator[bytes, None]):
    """Pieces that are kept when the answer has ended well.

    Args:
        answer: closed with this.
        protocol: of the answer.
        stream: whether it comes in events.
        most_bytes: an answer larger than this is not kept.
        keep: takes it.
    """

    def __init__(
        self,
        answer: RawAnswer,
        protocol: WireProtocol,
        *,
        stream: bool,
        most_bytes: int,
        keep: Callable[[KeptRaw], None],
    ) -> None:
        self._answer, self._protocol, self._stream = answer, protocol, stream
        self._left, self._keep = most_bytes, keep
        self._pieces: list[bytes] = []

    async def asend(self, value: None) -> bytes:
        """The next piece."""
        try:
            piece = await self._answer.pieces.asend(None)
        except StopAsyncIteration:
            self._ended()
            raise
        self._left -= len(piece)
        if self._left >= 0:
            self._pieces.append(piece)
        else:
            self._pieces.clear()
        return piece

    async def athrow(self, typ: Any, val: Any = None, tb: Any = None) -> bytes:
        """Ends the request, then raises what is thrown."""
        await self.aclose()
        raise typ if val is None else val

    async def aclose(self) -> None:
        """Ends the request. Safe to call twice."""
        self._pieces.clear()
        await self._answer.pieces.aclose()

    def _ended(self) -> None:
        body = b"".join(self._pieces)
        self._pieces.clear()
        if self._left >= 0 and self._answer.status == 200 and is_whole(self._protocol, body, stream=self._stream):
            kind = {name: value for name, value in self._answer.headers.items() if name.lower() == "content-type"}
            self._keep(KeptRaw(200, kind, body, self._answer.model))


class _OnePiece(AsyncGenerator[bytes, None]):
    def __init__(self, body: bytes) -> None:
        self._body: bytes | None = body

    async def asend(self, value: None) -> bytes:
        """The whole body, once."""
        if self._body is None:
            raise StopAsyncIteration
        body, self._body = self._body, None
        return body

    async def athrow(self, typ: Any, val: Any = None, tb: Any = None) -> bytes:
        """Raises what is thrown."""
        raise typ if val is None else val

    async def aclose(self) -> None:
        """Gives nothing any more."""
        self._body = None


def is_whole(protocol: WireProtocol, body: bytes, *, stream: bool) -> bool:
    """Whether an answer ended as its protocol says, well, and not by a length limit or a filter."""
    try:
        if not stream:
            return _ends(protocol, [msgspec.json.decode(body)], done=True)
        parser = LinesParser() if protocol == "ollama" else SseParser()
        data = [*parser.feed(body), *parser.finish()]
        done = b"[DONE]" in data
        return _ends(protocol, [msgspec.json.decode(one) for one in data if one and one != b"[DONE]"], done=done)
    except (ValueError, PlaygroundError):
        return False


def _ends(protocol: WireProtocol, events: list[Any], *, done: bool) -> bool:
    if not events or not all(isinstance(event, dict) for event in events):
        return False
    if any(event.get("error") or event.get("type") == "error" for event in events):
        return False
    last: JsonObject = events[-1]
    match protocol:
        case "openai-chat" | "openai-completions":
            ends = _reasons(events)
            return done and bool(ends) and ends <= _ENDED_WELL
        case "openai-responses":
            response = last.get("response", last)
            return isinstance(response, dict) and response.get("status") == "completed"
        case "anthropic":
            reasons = {event.get("stop_reason") or (event.get("delta") or {}).get("stop_reason") for event in events}
            ended = last.get("type") in ("message_stop", "message")
            return ended and bool(reasons - {None}) and reasons - {None} <= _ENDED_WELL
        case "ollama":
            return last.get("done") is True and last.get("done_reason", "stop") == "stop"


def _reasons(events: list[Any]) -> set[Any]:
    """Why each choice ended; None among them for one that did not."""
    ends: dict[Any, Any] = {}
    for event in events:
        for place, choice in enumerate(event.get("choices") or ()):
            if isinstance(choice, dict):
                index = choice.get("index", place)
                ends[index] = choice.get("finish_reason") or ends.get(index)
    return set(ends.values())

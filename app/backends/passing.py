"""An answer that passes through: bytes as they came where no rule changes it, events made anew where one does."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any

import msgspec

from app.errors import RemoteError, StreamBrokenError
from app.privacy.masking import MASK

from .http.answers import Answer, whole
from .openai.chat_reading import DONE
from .rules import JsonObject, WireExchange, WireProtocol, changes_events
from .sse import MOST_BYTES, EventParser, LinesParser, SseParser, too_long

_MASK = MASK.encode()
MOST_WHOLE = 64 * 1024 * 1024
"""Bytes of an answer that does not stream."""
_BORDERS = (b"\r\n\r\n", b"\n\n", b"\r\r")
_LONGEST_BORDER = 4
_LAST_WORDS: dict[WireProtocol, re.Pattern[bytes]] = {
    "openai-chat": re.compile(rb'\[DONE\]|"finish_reason":\s*"|"error":'),
    "openai-completions": re.compile(rb'\[DONE\]|"finish_reason":\s*"|"error":'),
    "openai-responses": re.compile(
        rb'"type":\s*"(?:response\.(?:completed|incomplete|failed|cancelled)|error)"|\[DONE\]'
    ),
    "anthropic": re.compile(rb'"type":\s*"(?:message_stop|error)"'),
    "ollama": re.compile(rb'"done":\s*true|"error":'),
}
"""What an answer's last piece has in it when the answer is whole, or tells of its own failure."""


class PassedOn(AsyncGenerator[bytes, None]):
    """The body, in whole events when it streams. Closing it ends the request, even when nothing of it was read.

    Args:
        answer: closed at the end.
        exchange: its rules.
        protocol: of the answer.
        endpoint: its name.
        mask: takes secrets out of errors.
        streams: whether a stream was asked for.
        secrets: what is masked if the provider repeats it, in an error event of its own for one.
    """

    def __init__(
        self,
        answer: Answer,
        exchange: WireExchange,
        protocol: WireProtocol,
        endpoint: str,
        mask: Callable[[RemoteError], None],
        *,
        streams: bool = True,
        secrets: Sequence[bytes] = (),
    ) -> None:
        self._answer, self._exchange, self._protocol = answer, exchange, protocol
        self._endpoint, self._mask = endpoint, mask
        self._streams = streams and not answer.headers.get("content-type", "").startswith("application/json")
        self._secrets = tuple(secrets)
        self._lines = protocol == "ollama"
        self._parser: EventParser | None = None
        if changes_events(exchange):
            self._parser = LinesParser() if self._lines else SseParser()
        self._rest: list[bytes] = []
        self._rest_bytes = 0
        self._near = b""  # the last bytes of the rest, where a border may have begun
        self._last = b""
        self._first: bytes | None = None
        self._ended = self._closed = False
        self._failed: RemoteError | None = None

    async def begin(self) -> None:
        """Waits for the first piece, and keeps it for who reads.

        Raises:
            RemoteError: it broke off before.
        """
        self._first = await self._next()

    @property
    def whole(self) -> bool:
        """Whether all of the body is one piece, and is here."""
        return self._ended and not self._streams

    async def asend(self, value: None) -> bytes:
        """The next piece.

        Raises:
            StopAsyncIteration: after the last.
            StreamBrokenError: when there should have been more.
        """
        try:
            piece, self._first = self._first, None
            if piece is None:
                piece = await self._next()
        except RemoteError as error:
            await self.aclose()
            self._mask(error)
            raise
        except BaseException:
            await self.aclose()
            raise
        if not piece:
            await self.aclose()
            raise StopAsyncIteration
        return piece

    async def athrow(self, typ: Any, val: Any = None, tb: Any = None) -> bytes:
        """Ends the request, then raises what is thrown."""
        await self.aclose()
        raise typ if val is None else val

    async def aclose(self) -> None:
        """Ends the request. Safe to call twice."""
        self._ended = self._closed = True
        self._first = self._failed = None
        await self._answer.close()

    async def _next(self) -> bytes:
        """The next piece; empty at the end."""
        while not self._ended:
            if not self._streams:
                self._ended = True
                return self._masked(self._in_one(await whole(self._answer, MOST_WHOLE)))
            try:
                piece = await self._answer.more()
            except RemoteError as error:
                # What rules held back is good, and is given before the error is.
                self._failed, piece = error, b""
            self._ended = not piece
            said = self._as_it_came(piece) if self._parser is None else self._made_anew(self._parser, piece)
            if said:
                self._last = said = self._masked(said)
                return said
        if self._failed is not None:
            raise self._failed
        if self._streams and not self._closed and not _LAST_WORDS[self._protocol].search(self._last):
            raise StreamBrokenError(f"{self._endpoint} ended its answer before it was whole.")
        return b""

    def _masked(self, said: bytes) -> bytes:
        for secret in self._secrets:
            if secret in said:
                said = said.replace(secret, _MASK)
        return said

    def _in_one(self, body: bytes) -> bytes:
        if self._parser is None:
            _check(body, self._endpoint)
            return body
        return msgspec.json.encode(self._exchange.answer(decoded(body, self._endpoint)))

    def _as_it_came(self, piece: bytes) -> bytes:
        """As much as is whole events; what was begun waits."""
        if self._ended:
            joined = b"".join((*self._rest, piece))
            self._rest = []
            return joined if self._failed is None else b""  # half an event is of no use
        # Looked for where the new bytes are: a long event comes in thousands of pieces.
        end = self._border(self._near + piece) - len(self._near)
        if end <= 0:
            self._rest.append(piece)
            self._near = (self._near + piece)[1 - _LONGEST_BORDER :]
            whole_events = b""
        else:
            whole_events = b"".join((*self._rest, piece[:end]))
            left = piece[end:]
            self._rest, self._rest_bytes, self._near = [left], 0, left[1 - _LONGEST_BORDER :]
        self._rest_bytes += len(self._rest[-1])
        if self._rest_bytes > MOST_BYTES:
            raise too_long(MOST_BYTES)
        return whole_events

    def _border(self, text: bytes) -> int:
        """Where the last event ends that is whole; 0 for none."""
        if self._lines:
            return text.rfind(b"\n") + 1
        return max(found + len(border) if (found := text.rfind(border)) >= 0 else 0 for border in _BORDERS)

    def _made_anew(self, parser: EventParser, piece: bytes) -> bytes:
        out: list[bytes] = []
        marked = False
        found = parser.feed(piece) if not self._ended else [] if self._failed else parser.finish()
        for data in found:
            if data == DONE:
                marked = True
                continue
            for event in self._exchange.event(decoded(data, self._endpoint)):
                out.append(self._written(event))
        if marked or self._ended:
            out.extend(self._written(event) for event in self._exchange.end())
        if marked:
            out.append(b"data: [DONE]\n\n")
        return b"".join(out)

    def _written(self, event: JsonObject) -> bytes:
        data = msgspec.json.encode(event)
        if self._lines:
            return data + b"\n"
        kind = event.get("type")
        if self._protocol in ("anthropic", "openai-responses") and isinstance(kind, str) and kind.isprintable():
            return b"event: " + kind.encode() + b"\ndata: " + data + b"\n\n"
        return b"data: " + data + b"\n\n"


def copied(body: JsonObject) -> JsonObject:
    """A copy that shares nothing with ``body``: by way of its bytes, which is much faster than ``deepcopy``."""
    found: JsonObject = msgspec.json.decode(msgspec.json.encode(body))
    return found


def _check(body: bytes, endpoint: str) -> None:
    """Refuses what is no object, without making one.

    Raises:
        StreamBrokenError: saying that it is none.
    """
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
        sound = body.lstrip()[:1] == b"{"
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        sound = False
    if not sound:
        raise _foreign(endpoint)


def decoded(data: bytes, endpoint: str) -> JsonObject:
    """An object of a provider's.

    Raises:
        StreamBrokenError: it is none.
    """
    try:
        found: Any = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise _foreign(endpoint)
    return found


def _foreign(endpoint: str) -> StreamBrokenError:
    return StreamBrokenError(f"{endpoint} sent something that is not its protocol.", "Check the endpoint's kind.")

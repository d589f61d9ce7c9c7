"""Bodies of requests: as many bytes as are allowed, in time, and JSON that is sound and not nested without end."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec
from starlette.types import Message, Receive

from .refusals import BodyLateError, BodyTooLargeError, EncodingRefusedError, MalformedRequestError, RefusalError

_AUDIO = "/v1/audio/"
_SLOWEST = 16 * 1024
# A text that is not ended takes everything to the end: without that, each of its quotes would be tried as a beginning.
_STRUCTURE = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)


@dataclass(frozen=True)
class BodyRules:
    """What a body may be.

    Attributes:
        most: bytes.
        most_audio: bytes of a recording.
        nesting: how deep arrays and objects may lie in each other.
        seconds: until it is here; one more for every 16 KiB.
    """

    most: int
    most_audio: int
    nesting: int
    seconds: float

    def limit(self, path: str) -> int:
        """Bytes that may come at a path."""
        return self.most_audio if path.startswith(_AUDIO) else self.most


def check_headers(lengths: Sequence[bytes], encodings: Sequence[bytes], most: int) -> None:
    """Refuses a body by what its headers say, before a byte of it is read.

    Args:
        lengths: every Content-Length.
        encodings: every Content-Encoding.
        most: bytes that it may have.

    Raises:
        EncodingRefusedError: when it is compressed: a kilobyte of it may be a gigabyte.
        BodyTooLargeError: when it says to be too large.
        MalformedRequestError: when its length is no number, or said twice.
    """
    if len(lengths) > 1 or (lengths and not lengths[0].isdigit()):
        raise MalformedRequestError("The Content-Length header is not one number.")
    for value in encodings:
        if value.strip().lower() not in (b"", b"identity"):
            raise EncodingRefusedError(
                f"The body is encoded as {value.decode('latin-1')[:40]!r}; this server takes it as it is.",
                "Send it without Content-Encoding.",
            )
    if lengths and (len(lengths[0]) > 18 or int(lengths[0]) > most):
        raise _too_large(most)


class BodyReader:
    """Hands a body to the application once it is known to be sound; recordings pass through as they come.

    Args:
        receive: the server's.
        path: of the request.
        is_json: whether it is said to be JSON.
        rules: what it may be.
        clock: seconds, of any origin.

    Attributes:
        most: bytes that it may have.
        streams: whether it is a recording: the application reads it as it comes, and what is wrong with it may show
            while it does.
    """

    def __init__(
        self,
        receive: Receive,
        path: str,
        rules: BodyRules,
        clock: Callable[[], float] = time.monotonic,
        *,
        is_json: bool,
    ) -> None:
        self._receive, self._rules, self._clock, self._is_json = receive, rules, clock, is_json
        self.most = rules.limit(path)
        self.streams = path.startswith(_AUDIO)
        self._started = clock()
        self._bytes = 0
        self._ready: Message | None = None
        self._whole = False
        self.failure: RefusalError | None = None
        """Why a recording was found to be unsound while the application read it."""

    async def prepare(self, *, here: bool = False) -> None:
        """Reads the body, unless it is a recording.

        Args:
            here: it is known to have come in full, so that nothing is waited for.

        Raises:
            BodyTooLargeError, BodyLateError, MalformedRequestError: when it is not as it should be.
        """
        if self.streams:
            return
        pieces: list[bytes] = []
        more = True
        while more:
            message = await self._next(here=here)
            if message["type"] != "http.request":
                self._ready = message
                return
            pieces.append(message.get("body", b""))
            more = message.get("more_body", False)
        body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        check_nesting(body, self._rules.nesting)
        if self._is_json and body:
            check_json(body)
        self._ready = {"type": "http.request", "body": body, "more_body": False}

    async def receive(self) -> Message:
        """What the application receives in the server's place."""
        if self._ready is not None:
            message, self._ready = self._ready, None
            return message
        if self._whole:
            return await self._receive()
        try:
            return await self._next()
        except RefusalError as error:
            self.failure = error
            raise

    async def _next(self, *, here: bool = False) -> Message:
        if here:
            message = await self._receive()
        else:
            message = await self._in_time()
        if message["type"] == "http.request":
            self._bytes += len(message.get("body", b""))
            self._whole = not message.get("more_body", False)
            if self._bytes > self.most:
                raise _too_large(self.most)
        return message

    async def _in_time(self) -> Message:
        left = self._started + self._rules.seconds + self._bytes / _SLOWEST - self._clock()
        try:
            async with asyncio.timeout(max(0.0, left)):
                return await self._receive()
        except TimeoutError as error:
            raise BodyLateError(
                f"The body did not arrive in {self._rules.seconds:g} s; {self._bytes} bytes did."
            ) from error


def check_nesting(body: bytes, most: int) -> None:
    """Refuses arrays and objects that lie deeper in each other than ``most``.

    Raises:
        MalformedRequestError: when they do.
    """
    if body.count(b"[") + body.count(b"{") <= most:
        return
    depth = 0
    for match in _STRUCTURE.finditer(body):
        first = body[match.start()]
        if first == 0x22:
            continue
        depth += 1 if first in b"[{" else -1
        if depth > most:
            raise MalformedRequestError(f"The JSON of the body is nested more than {most} deep.")


def check_json(body: bytes) -> None:
    """Refuses what is not JSON.

    Raises:
        MalformedRequestError: saying where it stops to be.
    """
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedRequestError(f"The body is not JSON: {error}.") from error


def _too_large(most: int) -> BodyTooLargeError:
    return BodyTooLargeError(f"The body is too large: {most} bytes are allowed.")

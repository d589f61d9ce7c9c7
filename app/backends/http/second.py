"""HTTP/2: many requests on one connection, each with an end of its own."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Mapping
from typing import TypeVar
from urllib.parse import urlsplit

import h2.exceptions

from app.backends.deadlines import unfinished, until
from app.backends.endpoint import Endpoint
from app.errors import RemoteError, RemoteTimeoutError, RemoteUnreachableError, StreamBrokenError

from .answers import Answer
from .dialling import dial_streams, speaks_second
from .resolving import Resolver
from .streams import Fields, Stream, StreamConnection

_IDLE_S = 60.0
_UNTOUCHED = 3
"""Tries of a request that the peer, about to close, has not looked at."""
_FORBIDDEN = frozenset("\r\n\0")
_Found = TypeVar("_Found")


class SecondWire:
    """Connections in HTTP/2. See ``Wire``.

    Args:
        endpoint: limits and times.
        resolver: finds and checks addresses.
        tls: offers HTTP/2.
        first: a connection that is open already, on which HTTP/2 was agreed.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        resolver: Resolver,
        tls: ssl.SSLContext,
        first: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        self._endpoint, self._resolver, self._tls = endpoint, resolver, tls
        parts = urlsplit(endpoint.url)
        self._host, self._port = parts.hostname or "", parts.port or 443
        self._authority = parts.netloc.encode()
        self._open = [StreamConnection(*first)]
        self._opening = asyncio.Lock()

    async def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, deadline: float
    ) -> Answer:
        """See ``Wire``."""
        fields = self._fields(method, url, headers, body)
        for _ in range(_UNTOUCHED):
            answer = await self._sent(fields, body, deadline)
            if answer is not None:
                return answer
        raise self._gone()

    async def _sent(self, fields: Fields, body: bytes | None, deadline: float) -> Answer | None:
        """One try; None when the peer says that it has not even looked at it."""
        connection = self._usable() or await self._with_room(deadline)
        try:
            stream = connection.begin(fields, with_body=bool(body))
        except h2.exceptions.H2Error:
            raise self._gone() from None
        answer = _SecondAnswer(connection, stream, self._endpoint, deadline)
        try:
            if body:
                late = f"{self._endpoint.name} did not take the request within {self._endpoint.read_s:g} seconds."
                await answer.within(connection.upload(stream, body), late)
            await answer.head()
        except BaseException as error:
            await answer.close()
            if stream.untouched and isinstance(error, RemoteUnreachableError | h2.exceptions.H2Error):
                return None
            if isinstance(error, h2.exceptions.H2Error | OSError):
                raise self._gone() from None
            raise
        return answer

    async def aclose(self) -> None:
        """See ``Wire``."""
        while self._open:
            await self._open.pop().aclose()

    async def _with_room(self, deadline: float) -> StreamConnection:
        async with until(deadline, self._endpoint):
            while True:
                async with self._opening:
                    found = self._usable()
                    if found is not None:
                        return found
                    if len(self._open) < self._endpoint.connections:
                        found = await self._dial()
                        self._open.append(found)
                        return found
                await asyncio.sleep(0.01)  # Hundreds of requests to each of all the connections: rare, and brief.

    def _usable(self) -> StreamConnection | None:
        now = asyncio.get_running_loop().time()
        for connection in list(self._open):
            if connection.over or (connection.idle and now - connection.used_at > _IDLE_S):
                self._open.remove(connection)
                connection.abandon()
        return next((connection for connection in self._open if connection.has_room), None)

    async def _dial(self) -> StreamConnection:
        reader, writer = await dial_streams(self._endpoint, self._resolver, self._host, self._port, self._tls)
        if not speaks_second(writer):
            writer.transport.abort()
            raise RemoteUnreachableError(
                f"{self._endpoint.name} spoke HTTP/2 before, and does not now.", "Set http2 = false for this endpoint."
            )
        return StreamConnection(reader, writer)

    def _gone(self) -> RemoteUnreachableError:
        return RemoteUnreachableError(f"{self._endpoint.name} closed the connection without an answer.")

    def _fields(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Fields:
        parts = urlsplit(url)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        fields = [
            (b":method", method.encode()),
            (b":authority", self._authority),
            (b":scheme", b"https"),
            (b":path", path.encode()),
        ]
        usable = all(not _FORBIDDEN & set(name + value) and (name + value).isascii() for name, value in headers.items())
        if not usable:
            raise RemoteError(
                f"A header for {self._endpoint.name} has characters that headers cannot have.",
                "Check its key and its headers.",
            )
        fields += [(name.lower().encode(), value.strip().encode()) for name, value in headers.items()]
        return fields if body is None else [*fields, (b"content-length", str(len(body)).encode())]


class _SecondAnswer:
    def __init__(self, connection: StreamConnection, stream: Stream, endpoint: Endpoint, deadline: float) -> None:
        self._connection, self._stream = connection, stream
        self._endpoint, self._deadline = endpoint, deadline
        self.status = 0
        self.headers: Mapping[str, str] = {}

    async def head(self) -> None:
        """Waits until the answer begins."""
        name = self._endpoint.name
        while self._stream.head is None:
            if self._stream.failed or self._stream.ended:
                raise RemoteUnreachableError(f"{name} closed the connection without an answer.")
            await self._changed(f"{name} did not begin to answer within {self._endpoint.read_s:g} seconds.")
        found = {key.decode("latin-1"): value.decode("latin-1") for key, value in self._stream.head}
        status = found.pop(":status", "")
        self.status, self.headers = int(status) if status.isdecimal() else 0, found

    async def more(self) -> bytes:
        name = self._endpoint.name
        while not self._stream.pieces:
            if self._stream.ended:
                return b""
            if self._stream.failed:
                raise StreamBrokenError(f"The connection to {name} broke while it answered.")
            await self._changed(f"{name} said nothing more for {self._endpoint.read_s:g} seconds.")
        return self._connection.take(self._stream)

    async def close(self) -> None:
        self._connection.close(self._stream)

    async def within(self, waiting: Awaitable[_Found], late: str) -> _Found:
        """What ``waiting`` gives, in time.

        Raises:
            RemoteTimeoutError: saying ``late``, or that the whole of it took too long.
        """
        now = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout_at(min(now + self._endpoint.read_s, self._deadline)):
                return await waiting
        except TimeoutError:
            if asyncio.get_running_loop().time() >= self._deadline:
                raise unfinished(self._endpoint) from None
            raise RemoteTimeoutError(late) from None

    async def _changed(self, late: str) -> None:
        self._stream.changed.clear()
        await self.within(self._stream.changed.wait(), late)

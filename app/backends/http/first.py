"""HTTP/1.1: connections that are kept, and a request on one of them that is free."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections import deque
from collections.abc import Mapping
from urllib.parse import quote, urlsplit

from app.backends.deadlines import until
from app.backends.endpoint import Endpoint
from app.errors import RemoteError, RemoteUnreachableError

from .answers import Answer
from .dialling import dial
from .kept import KeptConnection
from .resolving import Resolver

_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_FORBIDDEN = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_PATH = "/%:@!$&'()*+,;=-._~?"
_MOST_LINES = 64
_TRIES = 2


class FirstWire:
    """Connections in HTTP/1.1. See ``Wire``.

    Args:
        endpoint: limits and times.
        resolver: finds and checks addresses.
        tls: None where TLS is not used.
    """

    def __init__(self, endpoint: Endpoint, resolver: Resolver, tls: ssl.SSLContext | None) -> None:
        self._endpoint, self._resolver, self._tls = endpoint, resolver, tls
        parts = urlsplit(endpoint.url)
        self._sound = parts.scheme in ("http", "https") and bool(parts.hostname)
        self._host, self._port = parts.hostname or "", parts.port or (443 if tls is not None else 80)
        self._authority = _authority(parts.netloc)
        self._open: set[KeptConnection] = set()
        self._dialled = 0
        self._closed = False
        self._idle: list[KeptConnection] = []
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._lines: dict[tuple[str, str], bytes] = {}
        self._written: tuple[Mapping[str, str], bytes] = ({}, b"")

    async def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, deadline: float
    ) -> Answer:
        """See ``Wire``."""
        if not self._sound:
            raise RemoteUnreachableError(f"The url of {self._endpoint.name} is no address of HTTP.", "Correct its url.")
        request = self._line(method, url) + self._fields(headers)
        request += b"\r\n" if body is None else b"content-length: %d\r\n\r\n%b" % (len(body), body)
        for _ in range(_TRIES):
            connection = self._kept() or await self._another(deadline)
            was_used = connection.used
            try:
                return await connection.ask(request, deadline)
            except RemoteUnreachableError:
                # The peer may have closed it in the same moment. What changes nothing there may be asked again.
                if method != "GET" or not was_used:
                    raise
        raise RemoteUnreachableError(f"{self._endpoint.name} ({self._host}) closed the connection without an answer.")

    async def aclose(self) -> None:
        """See ``Wire``."""
        self._closed = True
        for connection in list(self._open):
            connection.abandon()
        await asyncio.sleep(0)  # sockets are closed in the loop's next turn

    # Connections

    def _kept(self) -> KeptConnection | None:
        while self._idle:
            found = self._idle.pop()
            if found.usable:
                return found
        return None

    async def _another(self, deadline: float) -> KeptConnection:
        """A connection that is made now, or that becomes free."""
        async with until(deadline, self._endpoint):
            while not self._closed and len(self._open) + self._dialled >= self._endpoint.connections:
                await self._change()
                found = self._kept()
                if found is not None:
                    return found
            return await self._made()

    async def _made(self) -> KeptConnection:
        if self._closed:
            self._next()  # whoever waits hears of it too
            raise RemoteUnreachableError(f"{self._endpoint.name} is not asked any more.")
        self._dialled += 1
        try:
            made = await dial(
                self._endpoint,
                self._resolver,
                self._host,
                self._port,
                self._tls,
                lambda: KeptConnection(self._endpoint, self._host, self._free, self._gone),
            )
        except BaseException:
            self._dialled -= 1
            self._next()
            raise
        self._dialled -= 1
        if not made.lost:
            self._open.add(made)
        if self._closed:
            made.abandon()
        return made

    async def _change(self) -> None:
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        try:
            await waiting
        except asyncio.CancelledError:
            if waiting.done() and not waiting.cancelled():
                self._next()  # it was our turn, and is another's now
            raise

    def _free(self, connection: KeptConnection) -> None:
        self._idle.append(connection)
        self._next()

    def _gone(self, connection: KeptConnection) -> None:
        self._open.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        self._next()

    def _next(self) -> None:
        while self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_result(None)
                return

    # What is sent

    def _line(self, method: str, url: str) -> bytes:
        known = self._lines.get((method, url))
        if known is None:
            parts = urlsplit(url)
            path = quote((parts.path or "/") + (f"?{parts.query}" if parts.query else ""), safe=_PATH)
            known = f"{method} {path} HTTP/1.1\r\nhost: {self._authority}\r\n".encode("ascii")
            if len(self._lines) < _MOST_LINES:
                self._lines[method, url] = known
        return known

    def _fields(self, headers: Mapping[str, str]) -> bytes:
        before, written = self._written
        if headers == before:
            return written
        if not all(_NAME.fullmatch(name) and not _FORBIDDEN.search(value) for name, value in headers.items()):
            # It may be the key, so it is not shown.
            raise RemoteError(
                f"A header for {self._endpoint.name} has characters that headers cannot have.",
                "Check its key and its headers.",
            )
        made = "".join(f"{name}: {value.strip()}\r\n" for name, value in headers.items())
        written = made.encode("utf-8", "surrogateescape")
        self._written = dict(headers), written
        return written


def _authority(netloc: str) -> str:
    """The Host header: ASCII, whatever the letters of the name."""
    if netloc.isascii():
        return netloc
    name, colon, port = netloc.partition(":")
    return name.encode("idna").decode("ascii") + colon + port

"""Connections whose requests never come: the head of each has a time limit and a size limit.

The gate sees a request once its head is whole; a client that sends it a byte a minute (slow-loris) is dealt with here.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from .connection import Connection, body_is_here, comes_on

_LATE = (
    b"HTTP/1.1 408 Request Timeout\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: 34\r\n"
    b"connection: close\r\n\r\nThe request did not come in time.\n"
)
_HEAD = b"HTTP/1.1 "
_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: 36\r\n"
    b"connection: close\r\n\r\nThe head of the request is too big.\n"
)


class JoinedWrites:
    """A transport that sends an answer's head together with what follows at once: one call of the system less.

    Args:
        transport: what it writes to; everything else is its own.
        loop: of the server.
    """

    __slots__ = ("_head", "_loop", "_transport", "is_closing")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._head = b""
        self.is_closing = transport.is_closing

    def write(self, data: bytes) -> None:
        """Sends ``data``; a head waits for the rest of this turn of the loop."""
        if self._head:
            head, self._head = self._head, b""
            self._transport.write(head + data)
        elif data.startswith(_HEAD):
            self._head = data
            self._loop.call_soon(self._send_head)
        else:
            self._transport.write(data)

    def close(self) -> None:
        """Sends what waits, then closes."""
        self._send_head()
        self._transport.close()

    def _send_head(self) -> None:
        if self._head:
            head, self._head = self._head, b""
            self._transport.write(head)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class TimedProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol, with a limit on the head of each request. Made for a server by ``timed``."""

    head_s: float
    head_bytes: int

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._late: asyncio.TimerHandle | None = None
        self._in_head = True
        self._begun = False
        self._head_size = 0
        self._connection = Connection()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Waits for the first head from now on."""
        super().connection_made(transport)
        self.transport = JoinedWrites(transport, self.loop)  # type: ignore[assignment]
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Waits no longer."""
        self._head_is_here()
        super().connection_lost(exc)
        self._connection.lost()

    def data_received(self, data: bytes) -> None:
        """Counts what comes of a head that is not whole."""
        if self._in_head:
            self._head_size += len(data)
        super().data_received(data)
        # Most heads come whole, and none of those needs a timer.
        if self._in_head and self._late is None and (self._head_size or self._begun):
            self._wait_for_head()
        # What came with the head's end may be its body; only a head that goes on is measured.
        if self._in_head and self._head_size > self.head_bytes:
            self._end(_LARGE)

    def on_message_begin(self) -> None:
        """A request begins; on a connection that is kept, this is the next one."""
        self._in_head = self._begun = True
        super().on_message_begin()
        comes_on(self.scope["state"], self._connection)

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._head_is_here()
        self._in_head = self._begun = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is whole; another may follow."""
        super().on_message_complete()
        self._in_head, self._head_size = True, 0
        body_is_here(self.scope["state"])
        if not self.pipeline:
            # Nothing more is to come that could be too much; only who reads hears that the client has left.
            self.flow.resume_reading()

    def _wait_for_head(self) -> None:
        self._late = self.loop.call_later(self.head_s, self._end, _LATE)

    def _head_is_here(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _end(self, words: bytes) -> None:
        self._head_is_here()
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete:
            self.transport.write(words)
        self.transport.close()


def timed(head_s: float, head_bytes: int) -> type[TimedProtocol]:
    """A protocol for ``uvicorn.Config(http=...)``.

    Args:
        head_s: seconds from a connection, or from the first byte of a further request on it, until its head is whole.
        head_bytes: the most that it may have.
    """

    class Limited(TimedProtocol):
        pass

    Limited.head_s, Limited.head_bytes = head_s, head_bytes
    return Limited

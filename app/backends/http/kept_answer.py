"""The answer to one request on a connection that is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

from app.errors import RemoteError

from .unpacking import PACKED, Unpacking

if TYPE_CHECKING:
    from .kept import KeptConnection

READ_AHEAD = 256 * 1024
"""Bytes that may lie unread before the connection reads no more."""


class KeptAnswer:
    """See ``Answer``. The answer to one request of a connection, from the moment that it is sent."""

    __slots__ = ("_connection", "_packed", "ended", "failed", "headers", "pieces", "status", "unread", "waiter")

    def __init__(self, connection: KeptConnection) -> None:
        self._connection = connection
        self._packed: Unpacking | None = None
        self.status = 0
        self.headers: Mapping[str, str] = {}
        self.pieces: list[bytes] = []
        self.unread = 0
        self.ended = False
        self.failed: RemoteError | None = None
        self.waiter: asyncio.Future[None] | None = None

    def begins(self, status: int) -> None:
        """Its head is here."""
        coding = self.headers.get("content-encoding", "").strip().lower()
        if coding in PACKED:  # asked for none, and yet some do
            self._packed = Unpacking()
        elif coding and coding != "identity":
            self.failed = RemoteError("The answer is packed in a way that was not asked for.")
            return
        self.status = status

    def wake(self) -> None:
        """Tells who waits that something has come."""
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)

    async def more(self) -> bytes:
        """See ``Answer``."""
        while True:
            if not self.pieces:
                if self.ended:
                    if self._packed is not None:
                        self._packed.end()
                    return b""
                if self.failed is not None:
                    raise self.failed
                await self._connection.wait(self)
            data = self.pieces[0] if len(self.pieces) == 1 else b"".join(self.pieces)
            self.pieces.clear()
            if self._packed is not None:
                data, left = self._packed.some(data)
                if left:
                    self.pieces.append(left)
                    return data
            if self.unread > READ_AHEAD:
                self._connection.go_on(self)
            self.unread = 0
            if data:
                return data

    async def close(self) -> None:
        """See ``Answer``."""
        self.pieces.clear()
        self._connection.leave(self)

"""Answers that stop when the client leaves: server-sent events, and plain ones that take their time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.errors import PlaygroundError

from .connection import connection_of
from .error_shapes import status_of
from .observing.exchange import note_error

T = TypeVar("T")

CLIENT_GONE = 499
"""What the log says of a request whose client did not wait; nginx's number. Nobody receives it."""


class ClientGoneError(Exception):
    """The client closed its connection before the answer was whole. Nothing is wrong, and nobody reads an answer."""


async def while_connected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Does ``work`` for as long as the client waits for it; when it leaves, ``work`` is cancelled at once.

    Call it after the request's body has been read.

    Raises:
        ClientGoneError: when the client left.
    """
    return await unless_gone(request.scope, request.receive, work)


class EventStream(Response):
    """Events of a generator as the client can take them.

    Nothing is sent before the first event, so that a request which fails at once is answered by its own status. From
    then on an error is the protocol's own event. When the client leaves, the generator is closed in the same turn of
    the event loop; a client that reads slowly holds up its own generator and nobody else's.

    Args:
        events: encoded events, whole; each is sent by itself. Several may be joined in one.
        failed: the event (or events) that tells of an error in mid-stream.
        refused: the answer when it fails before the first event.
        media_type: of the stream; NDJSON protocols have their own.
    """

    def __init__(
        self,
        events: AsyncGenerator[bytes, None],
        *,
        failed: Callable[[PlaygroundError], bytes],
        refused: Callable[[PlaygroundError], Response],
        media_type: str = "text/event-stream; charset=utf-8",
    ) -> None:
        self._events, self._failed, self._refused = events, failed, refused
        self.status_code = 200
        self.background = None
        # Without a body there is no content-length.
        self.init_headers(
            {"content-type": media_type, "cache-control": "no-cache", "x-accel-buffering": "no"},
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends the events until they end or the client leaves."""
        try:
            await unless_gone(scope, receive, self._send_all(scope, receive, send))
        except ClientGoneError:
            return

    async def _send_all(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False
        async with aclosing(self._events) as events:
            try:
                async for event in events:
                    if not started:
                        started = True
                        await self._start(send)
                    await send({"type": "http.response.body", "body": event, "more_body": True})
            except PlaygroundError as error:
                note_error(scope, error, status_of(error))
                if not started:
                    await self._refused(error)(scope, receive, send)
                    return
                await send({"type": "http.response.body", "body": self._failed(error), "more_body": True})
        if not started:
            await self._start(send)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _start(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})


async def unless_gone(scope: Scope, receive: Receive, work: Coroutine[Any, Any, T]) -> T:
    """``while_connected`` for who has no ``Request``.

    Raises:
        ClientGoneError: when the client left.
    """
    asking = asyncio.current_task()
    assert asking is not None
    left = False

    def leaves() -> None:
        nonlocal left
        left = True
        asking.cancel()

    connection = connection_of(scope)
    watching: asyncio.Task[None] | None = None
    if connection is None:
        watching = asyncio.get_running_loop().create_task(_watch(receive, leaves))
    elif connection.left:
        work.close()
        raise ClientGoneError
    else:
        connection.tell(leaves)
    # The work is done here, in no task of its own: a turn of the loop less, for each request.
    try:
        return await work
    except asyncio.CancelledError:
        if left and not asking.uncancel():
            raise ClientGoneError from None
        raise
    finally:
        if watching is not None:
            watching.cancel()
        if connection is not None:
            connection.forget(leaves)


async def _watch(receive: Receive, leaves: Callable[[], None]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    leaves()

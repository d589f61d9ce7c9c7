"""How the gate answers by itself: refusals, and a browser's question before it asks."""

from __future__ import annotations

import asyncio

from starlette.types import Receive, Scope, Send

from app.errors import PlaygroundError
from app.server.answerer import NAMES
from app.server.error_shapes import shape, status_of

from .heads import Headers
from .refusals import BodyTooLargeError, OriginRefusedError

_LINGER_S = 2.0
_METHODS = b"GET, HEAD, POST, PUT, PATCH, DELETE"
_EXPOSED = (
    b"retry-after, x-request-id, " + NAMES + b", x-ratelimit-limit-requests, x-ratelimit-remaining-requests,"
    b" x-ratelimit-reset-requests, x-ratelimit-limit-tokens, x-ratelimit-remaining-tokens, x-ratelimit-reset-tokens"
)


async def refuse(scope: Scope, receive: Receive, send: Send, error: PlaygroundError, headers: Headers) -> int:
    """Answers with ``error`` in the words of the protocol; gives the status."""
    status = status_of(error, scope["path"])
    body, own = shape(scope["path"], error, status)
    told = [*((name.encode(), value.encode()) for name, value in own.items()), *headers]
    if scope["type"] == "websocket":
        await _refuse_socket(scope, receive, send, status, told, body)
        return status
    # The body that was not read is in the way of the next request on this connection.
    told.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": told})
    if scope["method"] != "HEAD":
        await send({"type": "http.response.body", "body": body, "more_body": True})
    if isinstance(error, BodyTooLargeError) and not any(name == b"expect" for name, _ in scope["headers"]):
        await _linger(receive)
    await send({"type": "http.response.body", "body": b"", "more_body": False})
    return status


async def _linger(receive: Receive) -> None:
    """Takes what the client is still sending and forgets it.

    Closing on it would reset the connection, and the client would never read why.
    """
    try:
        async with asyncio.timeout(_LINGER_S):
            while True:
                message = await receive()
                if message["type"] != "http.request" or not message.get("more_body", False):
                    return
    except TimeoutError:
        return


async def _refuse_socket(
    scope: Scope, receive: Receive, send: Send, status: int, headers: Headers, body: bytes
) -> None:
    await receive()  # websocket.connect
    if "websocket.http.response" in scope.get("extensions", {}):
        await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
        await send({"type": "websocket.http.response.body", "body": body})
    else:
        await send({"type": "websocket.close", "code": 1008, "reason": ""})


def grant_headers(origin: str) -> Headers:
    """What lets a page of ``origin`` read the answer."""
    return [
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"access-control-expose-headers", _EXPOSED),
        (b"vary", b"origin"),
    ]


async def preflight(headers: Headers, granted: Headers, send: Send) -> None:
    """Answers a browser that asks whether it may ask (the Fetch standard's CORS preflight).

    Raises:
        OriginRefusedError: when it is no such question.
    """
    asked = [value for name, value in headers if name == b"access-control-request-headers"]
    if not any(name == b"access-control-request-method" for name, _ in headers):
        raise OriginRefusedError("OPTIONS is only for a browser's question before it asks.")
    told = [*granted, (b"access-control-allow-methods", _METHODS), (b"access-control-max-age", b"600")]
    if asked:
        told.append((b"access-control-allow-headers", asked[0]))
    told.append((b"content-length", b"0"))
    await send({"type": "http.response.start", "status": 204, "headers": told})
    await send({"type": "http.response.body", "body": b"", "more_body": False})

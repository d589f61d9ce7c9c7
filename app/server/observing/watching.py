"""The outermost layer of the server: times and counts what passes, writes its line, reports what went wrong."""

from __future__ import annotations

import asyncio
import itertools
import secrets
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.server.auth.needs import listed
from app.server.auth.principal import principal_of
from app.server.error_shapes import protocol_of
from app.server.gate.blocking import network_of
from app.server.streaming import CLIENT_GONE, ClientGoneError

from .exchange import Exchange
from .logs import AccessLine

if TYPE_CHECKING:
    from .parts import Observing

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_STREAMS = (b"text/event-stream", b"application/x-ndjson")
_ACCEPTED = 101
NO_ROUTE = "(none)"
"""Stands for the path of a request that reached no route: what a client made up must not become a label."""

_ACCOUNTS = frozenset({"/users", "/keys"})


class Watch:
    """An ASGI application that lets everything pass to another, and notes what it sees.

    Args:
        app: the application behind it.
        observing: where it notes it.
        crashed: the answer at a path when something failed that nobody had foreseen.
    """

    def __init__(self, app: ASGIApp, observing: Observing, crashed: Callable[[str], ASGIApp]) -> None:
        self._app, self._observing, self._crashed = app, observing, crashed
        self._prefix, self._numbers = f"req_{secrets.token_hex(6)}", itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection."""
        kind = scope["type"]
        if kind not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        measures = self._observing.measures
        exchange = Exchange(measures, f"{self._prefix}{next(self._numbers):08x}")
        scope.setdefault("state", {})["exchange"] = exchange
        began = time.perf_counter()

        async def noted(message: Message) -> None:
            what = message["type"]
            if what == "http.response.body":
                await send(message)
                return
            if what in ("http.response.start", "websocket.http.response.start"):
                message = _opened(exchange, message)
            elif what == "websocket.accept":
                exchange.status = _ACCEPTED
                number = (b"x-request-id", exchange.number.encode("ascii"))
                message = {**message, "headers": [*message.get("headers", ()), number]}
            elif what == "websocket.close" and not exchange.status:
                exchange.status = 403
            await send(message)

        active = measures.active_requests if kind == "http" else measures.active_sockets
        active.now += 1
        try:
            await self._app(scope, receive, noted)
        except (asyncio.CancelledError, ClientGoneError):
            exchange.status = exchange.status or CLIENT_GONE
            raise
        except Exception as error:
            measures.crashes.inc()
            if kind == "http" and not exchange.status:
                await self._crashed(scope["path"])(scope, receive, noted)
            exchange.status, exchange.failure, exchange.error = 500, error, exchange.error or "unexpected"
            raise  # to be logged
        finally:
            active.now -= 1
            if exchange.streaming:
                measures.active_streams.now -= 1
            self._over(scope, exchange, time.perf_counter() - began)

    def _over(self, scope: Scope, exchange: Exchange, seconds: float) -> None:
        http = scope["type"] == "http"
        method = (scope["method"] if scope["method"] in _METHODS else "OTHER") if http else "WEBSOCKET"
        # Nothing was answered: nobody was there any more.
        status = exchange.status or CLIENT_GONE
        route, protocol = route_of(scope), protocol_of(scope["path"])
        self._observing.measures.request(method, route, status, protocol, seconds if http else None)
        reports, log = self._observing.reports, self._observing.log
        if exchange.failure is not None and reports is not None:
            tags = {"route": route, "method": method, "status": str(status), "protocol": protocol}
            reports.report(exchange.failure, tags)
        if log is not None and log.wants_access:
            log.access(_line(scope, exchange, method, route, status, protocol, seconds))


def route_of(scope: Scope) -> str:
    """The template of the path that a connection reached, such as ``/sessions/{session_id}``."""
    route = scope.get("route")
    path = getattr(route, "path", None)
    if isinstance(path, str):
        return path
    asked = scope["path"]
    if listed(asked) or asked in _ACCOUNTS:
        return str(asked)
    if asked.startswith("/keys/"):
        return "/keys/{key}"
    return "/users/{name}/{change}" if asked.startswith("/users/") else NO_ROUTE


def _opened(exchange: Exchange, message: Message) -> Message:
    exchange.status = message["status"]
    headers = list(message.get("headers", ()))
    for name, value in headers:
        if name == b"content-type":
            if value.startswith(_STREAMS):
                exchange.streaming = True
                exchange.measures.active_streams.now += 1
            break
    headers.append((b"x-request-id", exchange.number.encode("ascii")))
    if exchange.status < 400:
        headers += exchange.answerer.headers()
    return {**message, "headers": headers}


def _line(
    scope: Scope, exchange: Exchange, method: str, route: str, status: int, protocol: str, seconds: float
) -> AccessLine:
    client, key = scope.get("client"), principal_of(scope).id
    return AccessLine(
        request=exchange.number,
        method=method,
        route=route,
        status=status,
        protocol=protocol,
        seconds=round(seconds, 6),
        address=network_of(client[0]) if client else "",
        key="" if key == "nobody" else key,
        model=exchange.model,
        first_token_s=None if exchange.first_token_s is None else round(exchange.first_token_s, 6),
        prompt_tokens=exchange.prompt_tokens,
        completion_tokens=exchange.completion_tokens,
        error=exchange.error,
    )

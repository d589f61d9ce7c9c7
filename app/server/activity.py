"""What the server is doing just now and did last, for whoever watches it from inside the same process.

Nothing of what is asked and answered is here: paths, models, figures.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping

from msgspec import Struct
from starlette.types import ASGIApp, Receive, Scope, Send

from .auth.principal import principal_of
from .observing.exchange import exchange_of

KEPT = 500
"""Requests that are remembered after they are over."""

_LONGEST_PATH = 200


class Visit(Struct, frozen=True, kw_only=True):
    """One request, or one WebSocket.

    Attributes:
        number: tells it apart from others; a later one has a higher.
        at: when it came, in seconds since 1970.
        path: as the client wrote it: not cleaned for a terminal.
        who: the name of the key or user; empty when there was none.
        model: empty while none is asked.
        status: of the answer; 0 before there is one.
        seconds: that it took, or has taken so far.
        tokens: of the answer; of one that is under way about so many.
        speed: tokens a second after the first; 0 when there is nothing to measure.
        error: the code of the error that it was answered with.
    """

    number: int
    at: float
    method: str
    path: str
    who: str = ""
    model: str = ""
    status: int = 0
    seconds: float = 0.0
    tokens: int = 0
    speed: float = 0.0
    streaming: bool = False
    running: bool = False
    error: str = ""


class Totals(Struct, frozen=True, kw_only=True):
    """Counts since the server was switched on."""

    requests: int = 0
    running: int = 0
    refused: int = 0
    tokens: int = 0


class Activity:
    """Remembers the last requests of one server.

    Args:
        names: what to call who asks, by their id, where there is a better name than their own.
        clock: seconds since 1970.
    """

    def __init__(self, names: Mapping[str, str] | None = None, clock: Callable[[], float] = time.time) -> None:
        self._names, self._clock = dict(names or {}), clock
        self._over: deque[Visit] = deque(maxlen=KEPT)
        self._running: dict[int, _Connection] = {}
        self._requests = self._refused = self._tokens = 0
        self.changes = 0
        """Grows whenever a request comes or is over: who saw this number has nothing new to see."""

    def around(self, app: ASGIApp) -> ASGIApp:
        """``app``, watched. Must lie outside of the layer that notes exchanges."""

        async def watched(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] not in ("http", "websocket"):
                await app(scope, receive, send)
                return
            self._requests += 1
            self.changes += 1
            number = self._requests
            connection = self._running[number] = _Connection(number, self._clock(), scope, self._names)
            try:
                await app(scope, receive, send)
            finally:
                del self._running[number]
                visit = connection.visit(running=False)
                self._over.appendleft(visit)
                self._refused += visit.status >= 400
                self._tokens += visit.tokens
                self.changes += 1

        return watched

    @property
    def busy(self) -> bool:
        """Whether something is under way."""
        return bool(self._running)

    def visits(self) -> Iterator[Visit]:
        """Those under way, then those that are over; newest first."""
        for connection in reversed(list(self._running.values())):
            yield connection.visit(running=True)
        yield from self._over

    def totals(self) -> Totals:
        """How many there were."""
        return Totals(requests=self._requests, running=len(self._running), refused=self._refused, tokens=self._tokens)

    def forget(self) -> None:
        """Forgets those that are over; the counts stay."""
        self._over.clear()
        self.changes += 1


class _Connection:
    """A request under way: what is known of it is read from its scope when somebody looks."""

    def __init__(self, number: int, at: float, scope: Scope, names: Mapping[str, str]) -> None:
        self._number, self._at, self._scope, self._names = number, at, scope, names
        self._began = time.perf_counter()

    def visit(self, *, running: bool) -> Visit:
        scope, exchange, now = self._scope, exchange_of(self._scope), time.perf_counter()
        principal = principal_of(scope)
        socket = scope["type"] == "websocket"
        tokens, speed = 0, 0.0
        if exchange is not None:
            tokens = exchange.completion_tokens + exchange.pieces
            if exchange.pieces > 1 and now > exchange.first_at > 0:
                speed = (exchange.pieces - 1) / (now - exchange.first_at)
            elif exchange.decode_s > 0 and exchange.completion_tokens > 1:
                speed = (exchange.completion_tokens - 1) / exchange.decode_s
        return Visit(
            number=self._number,
            at=self._at,
            method="WS" if socket else scope["method"],
            path=scope["path"][:_LONGEST_PATH],
            who="" if principal.kind == "nobody" else self._names.get(principal.id, principal.name),
            model=exchange.model if exchange is not None else "",
            status=exchange.status if exchange is not None else 0,
            seconds=now - self._began,
            tokens=tokens,
            speed=speed,
            streaming=socket or (exchange is not None and exchange.streaming),
            running=running,
            error=exchange.error if exchange is not None else "",
        )

"""One connection in HTTP/1.1 (https://www.rfc-editor.org/rfc/rfc9112): one request at a time, then the next.

The bytes are read by httptools, in C. A general client (aiohttp 3.14 was here before) takes 0.14 ms of a processor for
each request, three times this: it makes its objects, its timers and its headers anew each time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from app.backends.deadlines import unfinished
from app.backends.endpoint import Endpoint
from app.errors import RemoteError, RemoteTimeoutError, RemoteUnreachableError, StreamBrokenError

from .kept_answer import READ_AHEAD, KeptAnswer

IDLE_S = 60.0
"""So long a connection is kept on which nothing is asked."""
_MOST_HEAD = 128 * 1024
_EMPTY = frozenset({204, 304})


class KeptConnection(asyncio.Protocol):
    """A connection that is open, or was. Times are the running loop's own.

    Args:
        endpoint: its name and limits.
        host: as it is told to people.
        free: called when an answer is whole and the next request may be sent.
        gone: called once when it is of no more use.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        host: str,
        free: Callable[[KeptConnection], None],
        gone: Callable[[KeptConnection], None],
    ) -> None:
        self._endpoint, self._host, self._free, self._gone = endpoint, host, free, gone
        self._loop = asyncio.get_running_loop()
        self._parser = HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._answer: KeptAnswer | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._headers: dict[str, str] = {}
        self._due = self._deadline = 0.0
        self._unsent = 0
        self._head = 0
        self._extra = 0
        """Bytes of a head, or of what stands between pieces of a body: neither may be without end."""
        self._in_body = self._informs = self._to_the_end = False
        self._paused = self._stray = self._keeps = False
        self.lost = False
        self.used = False
        """Whether a request was answered on it before."""

    # For who asks

    async def ask(self, request: bytes, deadline: float) -> KeptAnswer:
        """Sends a request; returns when the head of its answer has come.

        Args:
            request: all its bytes.
            deadline: when the answer must be whole.

        Raises:
            RemoteError: there is none.
        """
        assert self._transport is not None and self._answer is None
        if self.lost:
            raise self._broken()
        answer = self._answer = KeptAnswer(self)
        self._deadline, self._head, self._extra = deadline, 0, 0
        self._in_body = self._informs = False
        self._transport.write(request)
        self._unsent = self._transport.get_write_buffer_size()
        try:
            while not answer.status:
                if answer.failed is not None:
                    raise answer.failed
                await self.wait(answer)
        except BaseException:
            self.leave(answer)
            raise
        return answer

    async def wait(self, answer: KeptAnswer) -> None:
        """Until something of it has come, or it failed."""
        now = self._loop.time()
        self._due = min(now + self._endpoint.read_s, self._deadline)
        self._watch()
        answer.waiter = self._loop.create_future()
        try:
            await answer.waiter
        finally:
            answer.waiter = None

    def leave(self, answer: KeptAnswer) -> None:
        """Nobody reads it any more. Closes the connection when the answer is not whole."""
        if self._answer is answer:
            self._answer = None
            self.abandon()

    @property
    def usable(self) -> bool:
        """Whether another request may be sent on it."""
        return not self.lost and self._transport is not None and not self._transport.is_closing()

    def go_on(self, answer: KeptAnswer | None) -> None:
        """What had come of an answer was taken."""
        if answer is self._answer and self._paused and self._transport is not None and not self.lost:
            self._paused = False
            self._transport.resume_reading()

    def abandon(self) -> None:
        """Closes it at once. Safe to call twice."""
        if self._transport is not None:
            self._transport.abort()
        self._over()

    # For the loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It stands."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        if self.lost:
            return
        if self._answer is None:  # nobody has asked
            self.abandon()
            return
        self._extra += len(data)
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            self.abandon()
            return
        answer = self._answer
        if answer is None:
            self._free_again()
        elif self._extra > _MOST_HEAD:
            self.abandon()
        elif answer.status or answer.failed is not None:
            answer.wake()

    def connection_lost(self, error: Exception | None) -> None:
        """It is closed, by whomever."""
        if self._answer is not None and self._to_the_end and self._in_body and error is None:
            self._whole(self._answer)
        self._over()

    # For the parser

    def on_message_begin(self) -> None:
        """An answer begins; one that nobody asked for is none."""
        self._stray = self._answer is None

    def on_header(self, name: bytes, value: bytes) -> None:
        """A line of the head; those that come after a body are of no use to anybody."""
        if self._answer is not None and not self._in_body:
            self._head += len(name) + len(value) + 4
            self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """The head is whole."""
        answer = self._answer
        if answer is None:
            return
        status = self._parser.get_status_code()
        self._informs = 100 <= status < 200
        headers, self._headers = self._headers, {}
        if self._informs:
            return
        if self._head > _MOST_HEAD:  # all of it may have come at once
            answer.failed = self._broken()
            return
        answer.headers = headers
        self._in_body = True
        self._to_the_end = (
            "content-length" not in headers and "transfer-encoding" not in headers and status not in _EMPTY
        )
        self._extra = 0
        answer.begins(status)

    def on_body(self, data: bytes) -> None:
        """A piece of the body."""
        answer = self._answer
        if answer is None:
            return
        self._extra = 0
        answer.pieces.append(data)
        answer.unread += len(data)
        if answer.unread > READ_AHEAD and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()

    def on_message_complete(self) -> None:
        """The answer is whole; the next request may follow, where both sides want that."""
        answer = self._answer
        if answer is None or self._informs:
            return
        self._keeps = self._parser.should_keep_alive()
        self._whole(answer)

    # Inside

    def _free_again(self) -> None:
        """The answer is whole. What came behind it nobody asked for, and what is not sent nobody waited for."""
        if self._stray or not self._keeps or self._transport is None or self._transport.get_write_buffer_size():
            self.abandon()
            return
        self.used = True
        self.go_on(None)
        self._due = self._loop.time() + IDLE_S
        self._watch()
        self._free(self)

    def _whole(self, answer: KeptAnswer) -> None:
        answer.ended = True
        self._answer = None
        answer.wake()

    def _over(self, error: RemoteError | None = None) -> None:
        answer, self._answer = self._answer, None
        if answer is not None:
            answer.failed = answer.failed or error or self._broken()
            answer.wake()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self.lost:
            self.lost = True
            self._gone(self)

    def _broken(self) -> RemoteError:
        if self._in_body:
            return StreamBrokenError(f"The connection to {self._endpoint.name} broke while it answered.")
        return RemoteUnreachableError(f"{self._endpoint.name} ({self._host}) closed the connection without an answer.")

    def _watch(self) -> None:
        """One timer for all waits: it looks what is due when it rings, and is set anew only for what is due sooner."""
        if self._timer is not None:
            if self._timer.when() <= self._due:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(self._due, self._rings)

    def _rings(self) -> None:
        self._timer = None
        if self.lost:
            return
        now = self._loop.time()
        if self._answer is None:
            if now >= self._due:
                self.abandon()
                return
        elif self._answer.waiter is None:
            return  # whoever waits next sets it
        elif now >= self._due and not self._sends_on(now):
            assert self._transport is not None
            self._transport.abort()
            self._over(self._late(now))
            return
        self._watch()

    def _sends_on(self, now: float) -> bool:
        """Whether a long request is still on its way: the answer cannot be here."""
        assert self._transport is not None
        left, before = self._transport.get_write_buffer_size(), self._unsent
        if self._in_body or now >= self._deadline or not left or left == before:
            return False
        self._unsent = left
        self._due = min(now + self._endpoint.read_s, self._deadline)
        return True

    def _late(self, now: float) -> RemoteTimeoutError:
        name, silent = self._endpoint.name, f"{self._endpoint.read_s:g} seconds"
        if now >= self._deadline:
            return unfinished(self._endpoint)
        if self._in_body:
            return RemoteTimeoutError(f"{name} said nothing more for {silent}.")
        return RemoteTimeoutError(f"{name} did not begin to answer within {silent}.")

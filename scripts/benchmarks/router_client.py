"""The client of the router benchmark, in a process of its own and the same for every contestant.

Speaks lines of JSON. ``paced``: requests on one kept connection at a steady rate, seconds of each. ``streamed``: how
long each chunk was on its way. ``busy``: as many requests as are answered in some seconds on some connections.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import sys
import time
from typing import Any

from server_client import _is_whole, _request

_SENT = re.compile(rb"@(\d+)@")
_TIMEOUT_S = 60.0


def paced(request: bytes, port: int, times: int, rate: float) -> list[float]:
    """Seconds of each of so many requests, begun at a steady rate."""
    taken = []
    with _connected(port) as connection:
        start = time.perf_counter()
        for number in range(times):
            wait = start + number / rate - time.perf_counter()
            if wait > 0:
                time.sleep(wait)
            began = time.perf_counter()
            connection.sendall(request)
            answer = connection.recv(1 << 16)
            while not _is_whole(answer):
                answer += _more(connection, answer)
            taken.append(time.perf_counter() - began)
            if not answer.startswith(b"HTTP/1.1 200"):
                raise SystemExit(f"the server answered {answer[:400]!r}")
    return taken


def streamed(request: bytes, port: int, times: int) -> list[float]:
    """Seconds from the sending of each chunk to its arrival here, over so many streams."""
    delays = []
    with _connected(port) as connection:
        for _ in range(times):
            connection.sendall(request)
            answer, seen = b"", 0
            while not answer.endswith(b"0\r\n\r\n"):
                piece = _more(connection, answer)
                now = time.monotonic_ns()
                answer += piece
                for found in _SENT.finditer(answer, seen):
                    delays.append((now - int(found[1])) / 1e9)
                    seen = found.end()
            if not answer.startswith(b"HTTP/1.1 200") or b"[DONE]" not in answer:
                raise SystemExit(f"the server answered {answer[:400]!r}")
    return delays


class _Busy(asyncio.Protocol):
    """A connection that asks again as soon as it is answered."""

    def __init__(self, request: bytes) -> None:
        self._request, self._read, self.answered = request, b"", 0
        self._transport: asyncio.Transport | None = None
        self.wrong = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._read += data
        if not _is_whole(self._read):
            return
        if not self._read.startswith(b"HTTP/1.1 200"):
            self.wrong = self._read[:400]
            return
        self.answered += 1
        self._read = b""
        if self._transport is not None:
            self._transport.write(self._request)

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None


async def busy(request: bytes, port: int, clients: int, seconds: float) -> float:
    """Requests a second."""
    loop = asyncio.get_running_loop()
    made = [await loop.create_connection(lambda: _Busy(request), "127.0.0.1", port) for _ in range(clients)]
    await asyncio.sleep(seconds / 4)  # until all are at it
    before, began = sum(one.answered for _, one in made), time.perf_counter()
    await asyncio.sleep(seconds)
    rate = (sum(one.answered for _, one in made) - before) / (time.perf_counter() - began)
    for transport, one in made:
        if one.wrong or transport.is_closing():
            raise SystemExit(f"the server answered {one.wrong!r}, or closed the connection")
        transport.close()
    return rate


def _connected(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT_S)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _more(connection: socket.socket, answer: bytes) -> bytes:
    piece = connection.recv(1 << 16)
    if not piece:
        raise SystemExit(f"the server closed the connection after {answer[:400]!r}")
    return piece


def main() -> None:
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        port = asked["port"]
        request = _request(port, asked["path"], asked["key"], asked["body"])
        found: Any
        match asked["way"]:
            case "paced":
                found = paced(request, port, asked["times"], asked["rate"])
            case "streamed":
                found = streamed(request, port, asked["times"])
            case _:
                found = asyncio.run(busy(request, port, asked["clients"], asked["seconds"]))
        print(json.dumps({"found": found}), flush=True)


if __name__ == "__main__":
    main()

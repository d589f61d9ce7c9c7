"""The client of the server benchmark, in a process of its own and the same for every contestant.

Speaks lines of JSON: an address and the bodies of requests in, what came back and when out. While it measures it does
nothing but read from sockets and look at a clock; what it has read is looked into afterwards. Where a connection is
kept, the next request takes it again.
"""

from __future__ import annotations

import json
import selectors
import socket
import sys
import time
from dataclasses import dataclass, field
from typing import Any

_END = b"\r\n0\r\n\r\n"
_TIMEOUT_S = 120.0


@dataclass
class Stream:
    """One request on its way.

    Attributes:
        pieces: what came, each with the moment at which it did.
        tail: the last bytes that came.
    """

    connection: socket.socket
    sent: float = 0.0
    pieces: list[tuple[float, bytes]] = field(default_factory=list)
    tail: bytes = b""


def ask(port: int, path: str, key: str, bodies: list[str]) -> list[dict[str, Any]]:
    """Sends all bodies at once, each on a connection of its own, and reads until all are answered."""
    requests = [_request(port, path, key, body) for body in bodies]
    streams = [Stream(socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT_S)) for _ in bodies]
    waiting = selectors.DefaultSelector()
    for stream in streams:
        stream.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        waiting.register(stream.connection, selectors.EVENT_READ, stream)
    for stream, request in zip(streams, requests, strict=True):
        stream.sent = time.perf_counter()
        stream.connection.sendall(request)
    left = len(streams)
    while left:
        ready = waiting.select(_TIMEOUT_S)
        if not ready:
            raise SystemExit(f"{left} of {len(streams)} answers did not come to their end in {_TIMEOUT_S} s")
        for chosen, _ in ready:
            stream = chosen.data
            piece = stream.connection.recv(1 << 16)
            stream.pieces.append((time.perf_counter(), piece))
            stream.tail = (stream.tail + piece)[-len(_END) :]
            if not piece or stream.tail == _END:
                waiting.unregister(stream.connection)
                left -= 1
    for stream in streams:
        stream.connection.close()
    began = min(stream.sent for stream in streams)
    return [_found(stream, began) for stream in streams]


def ask_in_turn(port: int, path: str, key: str, body: str, times: int) -> list[float]:
    """Seconds of each of so many requests, one after the other on one connection that is kept."""
    request = _request(port, path, key, body)
    taken = []
    with socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT_S) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(times):
            began = time.perf_counter()
            connection.sendall(request)
            answer = connection.recv(1 << 16)
            while not _is_whole(answer):
                more = connection.recv(1 << 16)
                if not more:
                    raise SystemExit(f"the server closed the connection after {answer[:300]!r}")
                answer += more
            taken.append(time.perf_counter() - began)
            if not answer.startswith(b"HTTP/1.1 200"):
                raise SystemExit(f"the server answered {answer[:300]!r}")
    return taken


def _is_whole(answer: bytes) -> bool:
    head, found, body = answer.partition(b"\r\n\r\n")
    if not found:
        return False
    _, has_length, rest = head.lower().partition(b"content-length:")
    return len(body) >= int(rest.split(b"\r\n")[0]) if has_length else body.endswith(_END)


def _request(port: int, path: str, key: str, body: str) -> bytes:
    data = body.encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
    )
    return head.encode() + data


def _found(stream: Stream, began: float) -> dict[str, Any]:
    """What a stream held: seconds until its first text and its end, why it ended, its text."""
    head, _, rest = b"".join(piece for _, piece in stream.pieces).partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise SystemExit(f"the server answered {(head + rest)[:500]!r}")
    text, reason, first, read = "", None, 0.0, len(head) + 4
    arrivals = _arrivals(stream)
    for line in rest.split(b"\n"):
        read += len(line) + 1
        if not line.startswith(b"data: {"):
            continue
        for choice in json.loads(line[6:])["choices"]:
            content = choice["delta"].get("content")
            if content and not first:
                first = next(moment for size, moment in arrivals if size >= read - 1) - stream.sent
            text += content or ""
            reason = choice.get("finish_reason") or reason
    return {"first_s": first, "end_s": stream.pieces[-1][0] - began, "reason": reason, "text": text}


def _arrivals(stream: Stream) -> list[tuple[int, float]]:
    size, found = 0, []
    for moment, piece in stream.pieces:
        size += len(piece)
        found.append((size, moment))
    return found


def main() -> None:
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        if "times" in asked:
            found: Any = {"seconds": ask_in_turn(**asked)}
        else:
            found = {"streams": ask(**asked)}
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()

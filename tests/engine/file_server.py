"""A small HTTP server that serves one file the way good and bad servers do."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class FileServer:
    """What the server does; a test changes it between requests.

    Attributes:
        cut_after: bytes of body after which the connection of the next answers breaks, one entry an answer.
        ranges: whether it knows how to continue.
        statuses: statuses that the next requests are answered with instead of the file.
        shift: how far beside the asked place it continues.
    """

    content: bytes
    etag: str = '"v1"'
    cut_after: list[int] = field(default_factory=list)
    ranges: bool = True
    statuses: list[int] = field(default_factory=list)
    shift: int = 0
    requests: list[dict[str, str]] = field(default_factory=list)
    sent: int = 0
    delay: threading.Event | None = None
    url: str = ""


@contextmanager
def serving(content: bytes) -> Iterator[FileServer]:
    """A running server on a loopback port of its own; ``url`` is the file's address."""
    state = FileServer(content)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            state.requests.append(dict(self.headers))
            if state.statuses:
                self.send_response(state.statuses.pop(0))
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            body, start = state.content, 0
            asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
            same = self.headers.get("If-Range") == state.etag
            if asked and same and state.ranges:
                start = int(asked[1]) + state.shift
                if start >= len(body):
                    self.send_response(416)
                    self.send_header("Content-Range", f"bytes */{len(body)}")
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
            else:
                self.send_response(200)
            self.send_header("Content-Length", str(len(body) - start))
            self.send_header("ETag", state.etag)
            self.end_headers()
            part = body[start:]
            if state.cut_after:
                part = part[: state.cut_after.pop(0)]
            # Counted before it goes out: the client may have it and look before this thread goes on.
            state.sent += len(part)
            half = len(part) // 2
            self.wfile.write(part[:half])
            self.wfile.flush()
            if state.delay is not None:
                state.delay.wait(20)
            self.wfile.write(part[half:])
            if len(part) < len(body) - start:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}/model.bin"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()

"""A provider that costs next to nothing: canned answers in OpenAI's words over a bare protocol of the event loop.

Streamed chunks carry the moment at which they were sent, by the machine's monotonic clock, so that whoever reads them
knows how long they were on their way. Prints its port; ends when its stdin does.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

CHUNKS = 40
EVERY_S = 0.005
_END = b"0\r\n\r\n"
_HEAD = {"id": "chatcmpl-1", "created": 1700000000, "model": "m1", "system_fingerprint": None}
_USAGE = {"prompt_tokens": 12, "completion_tokens": 16, "total_tokens": 28}
_BODY = json.dumps(
    {
        **_HEAD,
        "object": "chat.completion",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "A short answer of some sixteen words, as they come."},
                "finish_reason": "stop",
            }
        ],
        "usage": _USAGE,
    }
).encode()
_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(_BODY) + _BODY
_STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def _event(delta: dict[str, Any], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    said = b"data: " + json.dumps({**_HEAD, "object": "chat.completion.chunk", "choices": [choice]}).encode() + b"\n\n"
    return b"%x\r\n%s\r\n" % (len(said), said)


class Provider(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self._read = b""
        self._transport: asyncio.Transport | None = None
        self._streaming: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keeps it."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        """Nobody reads a stream any more."""
        if self._streaming is not None:
            self._streaming.cancel()

    def data_received(self, data: bytes) -> None:
        """Answers each request that is whole."""
        self._read += data
        assert self._transport is not None
        while (end := self._read.find(b"\r\n\r\n")) >= 0:
            head = self._read[:end].lower()
            _, found, rest = head.partition(b"content-length:")
            whole = end + 4 + (int(rest.split(b"\r\n", 1)[0]) if found else 0)
            if len(self._read) < whole:
                return
            body, self._read = self._read[end + 4 : whole], self._read[whole:]
            if b'"stream":true' in body.replace(b" ", b""):
                self._streaming = asyncio.get_running_loop().create_task(self._stream())
            else:
                self._transport.write(_ANSWER)

    async def _stream(self) -> None:
        assert self._transport is not None
        self._transport.write(_STREAM + _event({"role": "assistant", "content": ""}))
        for _ in range(CHUNKS):
            await asyncio.sleep(EVERY_S)
            self._transport.write(_event({"content": f"@{time.monotonic_ns()}@"}))
        done = b"data: [DONE]\n\n"
        self._transport.write(_event({}, "stop") + b"%x\r\n%s\r\n" % (len(done), done) + _END)


async def main() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Provider, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())

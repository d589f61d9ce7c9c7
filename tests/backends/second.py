"""A provider over HTTP/2, by hypercorn: the same words as the other, and counts of its connections."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
from hypercorn.asyncio import serve
from hypercorn.config import Config

from .certificates import Certificates
from .provider_wire import WIRES, Answer

Scope = dict[str, Any]


@dataclass
class Second:
    """What was asked over HTTP/2."""

    answer: Answer
    base: str = ""
    seen: list[Scope] = field(default_factory=list)
    left: int = 0

    async def __call__(
        self, scope: Scope, receive: Callable[[], Awaitable[Scope]], send: Callable[[Scope], Awaitable[None]]
    ) -> None:
        if scope["type"] != "http":
            return
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        self.seen.append(scope | {"body": body})
        wire, answer = WIRES[scope["path"]], self.answer
        if answer.status >= 400:
            await send({"type": "http.response.start", "status": answer.status, "headers": []})
            await send({"type": "http.response.body", "body": msgspec.json.encode(wire.error(answer))})
            return
        headers = [(b"content-type", wire.streams.encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        gone = asyncio.create_task(self._gone(receive))
        try:
            for number, event in enumerate(wire.events(answer, msgspec.json.decode(body))):
                if number == answer.hangs_after:
                    await gone
                if number == answer.dies_after:
                    raise ConnectionResetError("as the test wanted")
                await asyncio.sleep(answer.pause)
                if gone.done():
                    return
                await send({"type": "http.response.body", "body": event, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            gone.cancel()

    async def _gone(self, receive: Callable[[], Awaitable[Scope]]) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.left += 1


@asynccontextmanager
async def second(answer: Answer, found: Certificates) -> AsyncGenerator[Second, None]:
    """Runs it on a free port of localhost for as long as the block lasts."""
    there = Second(answer)
    listening = socket.create_server(("127.0.0.1", 0))
    config = Config()
    there.base = f"https://localhost:{listening.getsockname()[1]}"
    config.bind = [f"fd://{listening.detach()}"]  # hypercorn closes it
    config.certfile, config.keyfile = str(found.chain), str(found.key)
    config.alpn_protocols = ["h2"]
    config.keep_alive_max_requests = 100_000
    config.errorlog = config.accesslog = None
    config.graceful_timeout = 0.2
    stop = asyncio.Event()
    running = asyncio.create_task(serve(there, config, shutdown_trigger=stop.wait))
    try:
        yield there
    finally:
        stop.set()
        await running

"""A provider's stream may come in any pieces: what our clients read is the same, through the whole chain."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import re

import msgspec
import pytest

from app.server.app import build
from tests.backends.provider import Answer, Call
from tests.backends.provider_wire import WIRES
from tests.routing.scripted import endpoint
from tests.routing.test_over_sockets import Routed, model

from .scripted import ScriptedBackend, services_of

ANSWER = Answer(
    thinking=("Hm",),
    signature="s",
    text=("Blåbær ", "🫐!"),
    calls=(Call("c1", "add", ('{"a": "ø', '"}')),),
    finish="tool_calls",
)
THERE = {"openai": "/v1/chat/completions", "anthropic": "/v1/messages", "ollama": "/api/chat"}
MESSAGES = [{"role": "user", "content": "?"}]
OURS = {
    "/v1/chat/completions": {"messages": MESSAGES, "stream_options": {"include_usage": True}},
    "/v1/responses": {"input": "?"},
    "/v1/messages": {"messages": MESSAGES, "max_tokens": 2048, "thinking": {"type": "enabled", "budget_tokens": 1024}},
    "/api/chat": {"messages": MESSAGES},
}
_VARIES = re.compile(
    rb'(chatcmpl-|msg_|resp_|rs_|fc_|call_|toolu_)[0-9a-f]{24}|"(created|created_at)":("[^"]*"|\d+)'
    rb'|"(total|load|eval|prompt_eval)_duration":\d+'
)


class Pieces:
    """An answer whose body comes in the pieces that a test cut."""

    status = 200

    def __init__(self, pieces: list[bytes], kind: str) -> None:
        self.headers = {"content-type": kind}
        self._pieces = iter(pieces)
        self.closed = False

    async def more(self) -> bytes:
        return next(self._pieces, b"")

    async def close(self) -> None:
        self.closed = True


class Cut:
    """Connections that answer with what they are told."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.kind = ""

    def url(self, path: str) -> str:
        return path

    async def send(self, method: str, path: str, headers: object, body: bytes | None, deadline: float | None) -> Pieces:
        self.answer = Pieces(self.pieces, self.kind)
        return self.answer

    async def aclose(self) -> None:
        pass


async def asked(app, path: str, body: bytes) -> bytes:
    """What the application answers, without the numbers that are never the same twice."""
    said: list[bytes] = []
    messages = iter([{"type": "http.request", "body": body}])

    async def receive():
        message = next(messages, None)
        if message is None:
            await _never()
        return message

    async def send(message):
        if message["type"] == "http.response.start":
            assert message["status"] == 200
        else:
            said.append(message["body"])

    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "scheme": "http",
        "query_string": b"",
        "http_version": "1.1",
        "asgi": {"version": "3.0"},
        "headers": [(b"host", b"localhost"), (b"content-type", b"application/json")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8137),
        "state": {},
    }
    await app(scope, receive, send)
    return _VARIES.sub(b"*", b"".join(said))


async def _never() -> None:
    await asyncio.get_running_loop().create_future()


@pytest.mark.parametrize(("kind", "path"), list(itertools.product(THERE, OURS)))
async def test_a_stream_cut_anywhere_reads_the_same(kind, path):
    toml = endpoint("cloud", kind=kind, url="http://127.0.0.1:9/v1", redact=False) + model("far", "cloud")
    async with Routed(toml) as routed:
        cut = Cut()
        cut.kind = "application/x-ndjson" if kind == "ollama" else "text/event-stream"
        backend = routed.remotes._places["cloud"].backend
        await backend._connections.aclose()
        backend._connections = cut
        app = build(dataclasses.replace(services_of(ScriptedBackend([])), router=routed.router))
        body = msgspec.json.encode({"model": "far", "stream": True, **OURS[path]})
        wire = WIRES[path if kind == "openai" and path == "/v1/responses" else THERE[kind]]
        stream = b"".join(wire.events(ANSWER, {"model": "far", "stream_options": {"include_usage": True}}))
        cut.pieces = [stream]
        whole = await asked(app, path, body)
        assert "🫐".encode() in whole and b"ar" in whole
        passes = THERE[kind] == path or (kind == "openai" and path == "/v1/responses")
        for place in range(1, len(stream)):
            cut.pieces = [stream[:place], stream[place:]]
            found = await asked(app, path, body)
            # What passes is as it came; what is translated is the same events.
            assert found == whole, place
            assert cut.answer.closed
        if passes:
            assert whole == _VARIES.sub(b"*", stream)
        cut.pieces = [stream[place : place + 1] for place in range(len(stream))]
        assert await asked(app, path, body) == whole
        assert not any(routed.remotes.in_flight().values())

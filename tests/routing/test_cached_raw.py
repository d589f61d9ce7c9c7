"""Answers that pass through, given again as they came."""

from __future__ import annotations

import asyncio
import json

import msgspec
import pytest

from app.backends.endpoint import EndpointKind
from app.backends.raw import RawAnswer, RawRequest
from app.backends.rules import WireProtocol
from app.errors import PlaygroundError, StreamBrokenError
from app.messages import Usage
from app.routing.cache.cached import Cached
from app.routing.cache.cached_raw import is_whole
from app.routing.cache.fingerprints import Identity
from app.routing.cache.stores import VaultAnswers
from app.routing.router import Router
from tests.backends.provider import Answer, provider

from .kept import open_vault, vault  # noqa: F401 - a fixture
from .test_whole_program import KEY, opened

WHOLE = {"choices": [{"index": 0, "message": {"content": "hi"}, "finish_reason": "stop"}]}
STREAM = b'data: {"choices":[{"index":0,"delta":{"content":"hi"}}]}\n\n'
ENDED = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'


class Passing(Router):
    def __init__(self, pieces, **more):
        super().__init__([])
        self.pieces, self.more, self.asked = pieces, {"model": "m", "backend": "far", "status": 200} | more, 0

    async def raw(self, request):
        self.asked += 1
        return RawAnswer(headers={"content-type": "text/x", "x-request-id": "7"}, pieces=self._given(), **self.more)

    async def _given(self):
        for piece in self.pieces:
            if isinstance(piece, PlaygroundError):
                raise piece
            yield piece


def request(stream=False, **more):
    return RawRequest(protocol="openai-chat", model="m", body={"model": "m", "x": 1}, stream=stream, **more)


async def read(router, asked):
    found = await router.raw(asked)
    try:
        return found, b"".join([piece async for piece in found.pieces])
    finally:
        await found.pieces.aclose()
        await asyncio.gather(*router._writing)


def cached(vault, pieces, **more):  # noqa: F811
    inner = Passing(pieces, **more)
    store = VaultAnswers(open_vault(vault), ttl_s=60, most_bytes=100_000)
    return Cached(inner, store, lambda name: Identity("m", "1"), most_bytes=10_000), inner


@pytest.mark.parametrize(
    ("stream", "pieces"), [(False, [json.dumps(WHOLE).encode()]), (True, [STREAM[:9], STREAM[9:], ENDED])]
)
async def test_a_whole_answer_is_given_again_byte_for_byte(vault, stream, pieces):  # noqa: F811
    router, inner = cached(vault, pieces)
    first, body = await read(router, request(stream, headers={"user-agent": "one"}))
    again, kept = await read(router, request(stream, headers={"user-agent": "two", "authorization": "Bearer x"}))
    assert kept == body == b"".join(pieces) and inner.asked == 1
    assert (first.backend, again.backend, again.model) == ("far", "cache", "m")
    assert again.headers == {"content-type": "text/x"}
    await read(router, request(stream, headers={"cache-control": "no-cache"}))
    await read(router, request(stream, headers={"anthropic-beta": "thinking"}))
    await read(router, msgspec.structs.replace(request(stream), body={"model": "m", "x": 2}))
    assert inner.asked == 4


@pytest.mark.parametrize(
    ("pieces", "more"),
    [
        ([STREAM], {}),
        ([STREAM, b'data: {"error": {"message": "no"}}\n\n', ENDED], {}),
        ([STREAM, ENDED.replace(b'"stop"', b'"length"')], {}),
        ([STREAM, StreamBrokenError("It broke.")], {}),
        ([STREAM, ENDED], {"instead_of": "other", "reason": "It was down."}),
        ([STREAM, ENDED], {"model": "another"}),
        ([STREAM, ENDED], {"status": 206}),
        ([STREAM * 1000, ENDED], {}),
        ([b"not json"], {}),
    ],
)
async def test_nothing_else_is_kept(vault, pieces, more):  # noqa: F811
    router, inner = cached(vault, pieces, **more)
    for _ in range(2):
        try:
            await read(router, request(True))
        except StreamBrokenError:
            continue
    assert inner.asked == 2 and await vault.answers.size() == (0, 0)


@pytest.mark.parametrize(
    ("protocol", "body", "whole"),
    [
        ("anthropic", {"type": "message", "stop_reason": "end_turn"}, True),
        ("anthropic", {"type": "message", "stop_reason": "max_tokens"}, False),
        ("anthropic", {"type": "error", "error": {"message": "no"}}, False),
        ("openai-responses", {"status": "completed", "error": None}, True),
        ("openai-responses", {"status": "incomplete"}, False),
        ("ollama", {"done": True, "done_reason": "stop"}, True),
        ("ollama", {"done": False}, False),
        ("openai-chat", {"choices": [WHOLE["choices"][0], {"index": 1, "finish_reason": None}]}, False),
        ("openai-chat", {"choices": []}, False),
    ],
)
def test_what_each_protocol_calls_whole(protocol, body, whole):
    assert is_whole(protocol, json.dumps(body).encode(), stream=False) is whole


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("kind", "protocol"),
    [("openai", "openai-chat"), ("openai", "openai-responses"), ("anthropic", "anthropic"), ("ollama", "ollama")],
)
async def test_through_the_whole_program(environ, kind: EndpointKind, protocol: WireProtocol, stream: bool):
    async with provider(Answer(usage=Usage(9, 3, 0)), key=KEY) as there:
        playground = opened(environ, there, kind)
        await playground.vault.open()
        body = {"model": "c", "stream": stream, "max_tokens": 9}
        body |= {"input": "hi"} if protocol == "openai-responses" else {"messages": [{"role": "user", "content": "hi"}]}
        if stream and protocol == "openai-chat":
            body["stream_options"] = {"include_usage": True}
        asked = RawRequest(protocol=protocol, model="c", body=body, stream=stream)
        bodies = []
        for _ in range(2):
            found = await playground.router.raw(asked)
            assert found is not None
            bodies.append(b"".join([piece async for piece in found.pieces]))
            await found.pieces.aclose()
            for _ in range(50):
                if (await playground.vault.answers.size())[0]:
                    break
                await asyncio.sleep(0.01)
        assert bodies[0] == bodies[1] and len(there.chats) == 1
        await playground.router.aclose()
        again, first = await playground.vault.audit.notes()
        assert (first.kind, first.backend, first.from_cache, first.prompt_tokens) == ("raw", "far", False, 9)
        assert (again.from_cache, again.cost, again.outcome) == (True, 0.0, "finished")
        await playground.aclose()

# ruff: noqa: SIM117 - a server, and then who asks it
"""Requests that pass through: unknown fields stay, rules apply, and what must not go on does not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from typing import Any

import pytest

from app.backends.endpoint import EndpointKind
from app.backends.event_texts import TextStream, filter_answer
from app.backends.raw import RawRequest
from app.backends.rules import Chained, JsonObject, NoChange, WireProtocol
from app.errors import RemoteBusyError, RemoteTimeoutError, StreamBrokenError

from .provider import Answer, provider
from .provider_wire import WIRES
from .reaching import all_of, asking, reaching, summary
from .test_event_texts import NAME, VALUE, Restorer

WAYS: list[tuple[EndpointKind, WireProtocol, str]] = [
    ("openai", "openai-chat", "/v1/chat/completions"),
    ("openai-compatible", "openai-completions", "/v1/completions"),
    ("openai", "openai-responses", "/v1/responses"),
    ("anthropic", "anthropic", "/v1/messages"),
    ("ollama", "ollama", "/api/chat"),
    ("ollama", "ollama", "/api/generate"),
]
EACH = pytest.mark.parametrize(("kind", "protocol", "path"), WAYS)


class Rules:
    """Restores a name in answers, marks requests, lets every header through."""

    def exchange(self, protocol: WireProtocol) -> Exchange:
        return Exchange(protocol)


class Exchange:
    def __init__(self, protocol: WireProtocol) -> None:
        self._protocol = protocol
        self._stream = TextStream(protocol, Restorer)

    def headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        return {**headers, "authorization": "Bearer forced-by-rules", "connection": "close", "X-Team": "blue"}

    def body(self, body: JsonObject) -> JsonObject:
        body["marked"] = True
        body["deep"]["er"].append(2)
        return body

    def answer(self, body: JsonObject) -> JsonObject:
        return filter_answer(self._protocol, body, Restorer)

    def event(self, event: JsonObject) -> Sequence[JsonObject]:
        return self._stream.event(event)

    def end(self) -> Sequence[JsonObject]:
        return self._stream.end()


def raw(protocol: WireProtocol, path: str, *, stream: bool, **headers: str) -> RawRequest:
    body: dict[str, Any] = {"model": "alias", "stream": stream, "max_tokens": 5, "new_field": [1, {"x": None}]}
    body |= {"prompt": "?"} if path in ("/v1/completions", "/api/generate") else {"messages": [], "input": "?"}
    if path == "/api/chat":
        body.pop("input")
    return RawRequest(
        protocol=protocol,
        model="wire-name",
        body=body | {"deep": {"er": [1]}},
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        stream=stream,
    )


@EACH
@pytest.mark.parametrize("stream", [True, False])
async def test_bytes_come_as_they_were_and_unknown_fields_go(
    kind: EndpointKind, protocol: WireProtocol, path: str, stream: bool
) -> None:
    request = raw(protocol, path, stream=stream)
    async with provider(Answer(write=11)) as there, reaching(there, kind) as backend:
        assert backend.speaks(protocol)
        answer = await backend.raw(request)
        body = b"".join([piece async for piece in answer.pieces])
    sent = there.chats[0]
    assert sent.path == path
    assert sent.body == {**request.body, "model": "wire-name"}
    assert request.body["model"] == "alias"
    wire = WIRES[path]
    expected = b"".join(wire.events(Answer(), sent.body)) if stream else json.dumps(wire.body(Answer(), sent.body))
    assert body == expected if stream else json.loads(body) == json.loads(expected)
    assert (answer.status, answer.backend, answer.model) == (200, "there", "wire-name")
    assert set(answer.headers) == {"content-type"}


@EACH
@pytest.mark.parametrize("stream", [True, False])
async def test_rules_change_requests_and_answers(
    kind: EndpointKind, protocol: WireProtocol, path: str, stream: bool
) -> None:
    request = raw(protocol, path, stream=stream, authorization="Bearer of-the-client", x_other="kept", te="trailers")
    plan = Answer(text=("by <", "P1", "> and <P"), write=5)
    async with provider(plan) as there:
        async with reaching(there, kind, rules=Rules(), key="env:K", environ={"K": "own-key"}) as backend:
            answer = await backend.raw(request)
            body = b"".join([piece async for piece in answer.pieces])
    sent = there.chats[0]
    assert sent.body["deep"] == {"er": [1, 2]}
    assert request.body["deep"] == {"er": [1]}
    own = sent.headers["x-api-key" if kind == "anthropic" else "authorization"]
    assert own == ("own-key" if kind == "anthropic" else "Bearer own-key")
    assert (sent.headers["x-team"], sent.headers["x-other"], "te" in sent.headers) == ("blue", "kept", False)
    assert sent.headers.get("connection") != "close"
    assert b"of-the-client" not in str(sent.headers).encode()
    said = json.loads(f'"{json.dumps(VALUE)[1:-1]}"')
    text = body.decode()
    if stream and protocol != "ollama":
        events = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: {")]
    else:
        events = [json.loads(line) for line in text.splitlines()]
    shown = json.dumps(events, ensure_ascii=False)
    assert NAME not in shown
    assert json.dumps(said, ensure_ascii=False)[1:-1] in shown
    assert "<P" in shown


async def test_the_last_of_chained_rules_changes_the_answer_first() -> None:
    chained = Chained([NoChange(), Rules()])
    assert chained.exchange("openai-chat").changes_events
    assert not Chained([NoChange(), NoChange()]).exchange("openai-chat").changes_events


async def test_a_refusal_is_raised_with_its_own_words() -> None:
    plan = Answer(status=529, error="Overloaded", headers={"retry-after": "7"})
    async with provider(plan) as there, reaching(there, "anthropic") as backend:
        with pytest.raises(RemoteBusyError) as raised:
            await backend.raw(raw("anthropic", "/v1/messages", stream=True))
    assert json.loads(raised.value.body or b"")["error"] == {"type": "overloaded_error", "message": "Overloaded"}
    assert raised.value.retry_after == 7.0


@EACH
async def test_a_stream_that_breaks_off(kind: EndpointKind, protocol: WireProtocol, path: str) -> None:
    for plan in (Answer(text=("a",) * 9, dies_after=4), Answer(text=("a",) * 9, ends_after=4)):
        async with provider(plan) as there, reaching(there, kind) as backend:
            answer = await backend.raw(raw(protocol, path, stream=True))
            got = b""
            with pytest.raises(StreamBrokenError):
                async for piece in answer.pieces:
                    got += piece
            assert got


@EACH
async def test_whoever_leaves_ends_it_even_before_the_first_piece(
    kind: EndpointKind, protocol: WireProtocol, path: str
) -> None:
    async with provider(Answer(text=("a",) * 500, pause=0.02)) as there, reaching(there, kind) as backend:
        answer = await backend.raw(raw(protocol, path, stream=True))
        await answer.pieces.aclose()
        await there.until(lambda p: p.running == 0, 1.0)
        answer = await backend.raw(raw(protocol, path, stream=True))
        async with aclosing(answer.pieces) as pieces:
            await anext(pieces)
        with pytest.raises(StopAsyncIteration):
            await anext(pieces)
        await there.until(lambda p: p.running == 0, 1.0)
        there.plan = Answer(wait=30)
        task = asyncio.create_task(backend.raw(raw(protocol, path, stream=True)))
        await there.until(lambda p: p.running == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await there.until(lambda p: p.running == 0, 1.0)


async def test_silence_before_the_first_piece_is_a_timeout() -> None:
    async with provider(Answer(hangs_after=0)) as there, reaching(there, read_s=0.2) as backend:
        with pytest.raises(RemoteTimeoutError):
            await backend.raw(raw("openai-chat", "/v1/chat/completions", stream=True))


async def test_what_passes_where() -> None:
    async with reaching("http://127.0.0.1:9/v1", "anthropic") as backend:
        assert [backend.speaks(p) for _, p, _ in WAYS] == [False, False, False, True, False, False]
    async with reaching("http://127.0.0.1:9/v1", "openai", passthrough=False) as backend:
        assert not backend.speaks("openai-chat")


async def test_rules_apply_to_translated_answers_too() -> None:
    class Marked(Rules):
        def exchange(self, protocol: WireProtocol) -> Exchange:
            found = Exchange(protocol)
            found.body = lambda body: {**body, "marked": True}  # type: ignore[method-assign]
            return found

    plan = [Answer(text=("by <", "P1", "> and <P")), Answer(text=("so <P",) + ("x",) * 3, dies_after=2)]
    async with provider(plan) as there, reaching(there, rules=Marked()) as backend:
        assert summary(await all_of(backend.stream(asking())))["text"] == f"by {VALUE} and <P"
        deltas = []
        with pytest.raises(StreamBrokenError):
            async for delta in backend.stream(asking()):
                deltas.append(delta)
        # What was held back when it broke is not lost.
        assert summary(deltas)["text"] == "so <P"

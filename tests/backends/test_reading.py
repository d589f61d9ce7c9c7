"""Streams read without a network: any split gives the same, garbage raises nothing but the family."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import re
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.backends.answering import read
from app.backends.kinds import kind_of
from app.backends.passing import PassedOn
from app.backends.rules import NoChange, WireExchange, WireProtocol
from app.backends.sse import LinesParser, SseParser
from app.errors import RemoteError, StreamBrokenError
from app.messages import ChatRequest, Delta, Finished, Usage

from .provider_wire import WIRES, Answer, Call
from .reaching import asking, summary

WHOLE = Answer(
    text=("Hel", "lo \n\n", "😀", "é\r\n data: x"),
    thinking=("hm", "m😀"),
    signature="sig",
    redacted=("opaque",),
    calls=(Call("c1", "f", ('{"a"', ': [1, "\\n\\né"]}')), Call("c2", "g", ("{}",))),
    finish="tool_calls",
    logprobs=True,
)
ASKED: dict[str, ChatRequest] = {
    "/v1/chat/completions": asking(),
    "/v1/completions": asking(prompt="x"),
    "/v1/responses": asking("o3-pro"),
    "/v1/messages": asking(),
    "/api/chat": asking(),
    "/api/generate": asking(prompt="x"),
}
KIND = {"/v1/messages": "anthropic", "/api/chat": "ollama", "/api/generate": "ollama"}
PATHS = pytest.mark.parametrize("path", list(ASKED))


class Pieces:
    """An answer whose bytes come as a test cut them."""

    status = 200

    def __init__(self, pieces: Sequence[bytes], kind: str = "text/event-stream") -> None:
        self.pieces = [piece for piece in pieces if piece]
        self.headers = {"content-type": kind}
        self.closed = False

    async def more(self) -> bytes:
        return self.pieces.pop(0) if self.pieces else b""

    async def close(self) -> None:
        self.closed = True


class Same(NoChange):
    """Changes nothing, and does not say so."""

    changes_events = True

    def exchange(self, protocol: WireProtocol) -> WireExchange:
        return Same()


def stream_of(path: str, answer: Answer = WHOLE) -> bytes:
    return b"".join(WIRES[path].events(answer, {"model": "m", "stream_options": {"include_usage": True}}))


def deltas_of(path: str, pieces: Sequence[bytes], kind: str = "text/event-stream") -> list[Delta]:
    dialect = kind_of(KIND.get(path, "openai")).way(ASKED[path])

    async def run() -> list[Delta]:
        reader = dialect.reader("m", "there")
        return [d async for d in read(Pieces(pieces, kind), NoChange(), reader, dialect.protocol, "there")]

    return drive(run())


def drive(coroutine: Any) -> Any:
    """Runs what waits for nothing, without a loop's cost."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("it waited")


def passed(path: str, pieces: Sequence[bytes], exchange: WireExchange, kind: str = "text/event-stream") -> list[bytes]:
    protocol = kind_of(KIND.get(path, "openai")).way(ASKED[path]).protocol

    async def run() -> list[bytes]:
        given = PassedOn(Pieces(pieces, kind), exchange, protocol, "there", lambda error: None)
        await given.begin()
        return [piece async for piece in given]

    return drive(run())


@pytest.fixture(autouse=True)
def no_time_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    class Now:
        def __init__(self, _: float) -> None: ...
        async def __aenter__(self) -> None: ...
        async def __aexit__(self, *_: object) -> None: ...

    monkeypatch.setattr(asyncio, "timeout", Now)


@PATHS
def test_split_at_every_byte_it_says_the_same(path: str) -> None:
    whole = stream_of(path)
    expected = summary(deltas_of(path, [whole]))
    assert expected["text"] == "".join(WHOLE.text)
    assert expected["finished"].usage == Usage(9, 3, 0 if path.startswith("/api") else 4)
    if path not in ("/v1/completions", "/api/generate"):
        assert expected["thinking"] == "".join(WHOLE.thinking)
        assert [json.loads(call[2]) for call in expected["calls"]] == [{"a": [1, "\n\né"]}, {}]
    assert bool(expected["logprobs"]) == (path not in ("/v1/messages", "/v1/completions"))
    for place in range(len(whole)):
        assert summary(deltas_of(path, [whole[:place], whole[place:]])) == expected
    assert summary(deltas_of(path, [whole[n : n + 1] for n in range(len(whole))])) == expected


@PATHS
@pytest.mark.parametrize("ending", [b"\r\n", b"\r"])
def test_other_ends_of_lines(path: str, ending: bytes) -> None:
    if KIND.get(path) == "ollama" and ending == b"\r":
        return
    whole = stream_of(path)
    expected = summary(deltas_of(path, [whole]))
    changed = whole.replace(b"\n", ending)
    for size in (1, 2, 3, 64, len(changed)):
        pieces = [changed[n : n + size] for n in range(0, len(changed), size)]
        assert summary(deltas_of(path, pieces)) == expected


@PATHS
def test_passed_through_whole_events_come_as_they_were(path: str) -> None:
    whole = stream_of(path)
    border = b"\n" if KIND.get(path) == "ollama" else b"\n\n"
    for size in (1, 7, 100, len(whole)):
        pieces = passed(path, [whole[n : n + size] for n in range(0, len(whole), size)], NoChange())
        assert b"".join(pieces) == whole
        assert all(piece.endswith(border) for piece in pieces)
    assert b"".join(passed(path, [whole[:50], whole[50:]], Same())) == whole


@PATHS
def test_what_ends_too_early_is_broken(path: str) -> None:
    events = list(WIRES[path].events(WHOLE, {"model": "m"}))
    for count in range(len(events) - (3 if path == "/v1/completions" else 2)):
        with pytest.raises(StreamBrokenError):
            deltas_of(path, events[:count])
        for exchange in (NoChange(), Same()):
            with pytest.raises(StreamBrokenError):
                passed(path, events[:count], exchange)


@PATHS
def test_failures_within_the_stream_pass_through(path: str) -> None:
    wire = WIRES[path]
    events = [*list(wire.events(WHOLE, {"model": "m"}))[:4], wire.failure(WHOLE)]
    assert b"".join(passed(path, events, NoChange())) == b"".join(events)


NOISE = st.one_of(
    st.binary(max_size=60),
    st.sampled_from(
        [
            b"data: {}\n\n",
            b"data: []\n\n",
            b"data: null\n\n",
            b'data: {"choices": [{"delta": {"tool_calls": [{"index": -1, "function": {"arguments": 7}}]}}]}\n\n',
            b'data: {"choices": [{"delta": {"tool_calls": [{"id": "a", "function": {"name": "x"}}]}}]}\n\n',
            b'data: {"choices": {"0": 1}, "usage": {"prompt_tokens": 1e999}}\n\n',
            b'data: {"choices": [{"index": [], "delta": [], "finish_reason": {}}]}\n\n',
            b'data: {"type": "content_block_delta", "index": "x", "delta": {"type": "text_delta"}}\n\n',
            b'data: {"type": "content_block_start", "content_block": {"type": "tool_use", "input": []}}\n\n',
            b'data: {"type": "content_block_stop", "index": []}\n\n',
            b'data: {"type": "message_delta", "delta": {"stop_reason": []}, "usage": {"output_tokens": -1}}\n\n',
            b'data: {"type": "response.output_item.added", "output_index": {}, "item": {"type": "function_call"}}\n\n',
            b'data: {"type": "response.completed", "response": []}\n\n',
            b'data: {"type": "response.failed"}\n\n',
            b'data: {"type": "error", "error": [1]}\n\n',
            b'data: {"error": true}\n\n',
            b'{"message": {"tool_calls": [{"function": {"arguments": "x"}}]}, "done": true}\n',
            b'{"done": true, "eval_count": -5, "eval_duration": 1e400, "logprobs": [{"logprob": "x"}]}\n',
            b'{"error": {"a": "\xff"}}\n',
            b"data: " + b"[" * 5000 + b"\n\n",
            b"data: [DONE]\n\n",
            b"data:",
            b"\r",
            b"\n\n",
            b"\xef\xbb\xbf",
        ]
    ),
)


@PATHS
@given(
    noise=st.lists(NOISE, max_size=6),
    at=st.integers(0, 40),
    kind=st.sampled_from(["text/event-stream", "application/json"]),
)
@settings(max_examples=150)
def test_garbage_raises_nothing_but_the_family(path: str, noise: list[bytes], at: int, kind: str) -> None:
    events = list(WIRES[path].events(WHOLE, {"model": "m"}))
    pieces = [*events[:at], *noise, *events[at:]]
    try:
        deltas = deltas_of(path, pieces, kind)
    except RemoteError:
        pass
    else:
        assert isinstance(deltas[-1], Finished)
        summary(deltas)
    for exchange in (NoChange(), Same()):
        with contextlib.suppress(RemoteError):
            passed(path, pieces, exchange, kind)


FIELDS = ["choices", "message", "content", "output", "type", "text", "error", "usage", "done", "index", "tool_calls"]
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
BODIES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4),
    max_leaves=15,
)


@PATHS
@given(body=BODIES)
def test_whole_bodies_of_garbage(path: str, body: Any) -> None:
    with contextlib.suppress(RemoteError):
        deltas_of(path, [json.dumps(body).encode()], "application/json")


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=5))
def test_parsers_of_events_give_the_same_for_any_split(whole: bytes, cuts: list[int]) -> None:
    places = sorted({0, len(whole), *(min(cut, len(whole)) for cut in cuts)})
    pieces = [whole[a:b] for a, b in itertools.pairwise(places)]
    for make in (SseParser, LinesParser):
        one, several = make(), make()
        assert one.feed(whole) + one.finish() == [e for p in pieces for e in several.feed(p)] + several.finish()


PARTS = st.sampled_from(
    [b"\xef\xbb\xbf", b"\xef", b"data:", b"data: ", b"x", b": y", b"id", b"\r", b"\n", b"\r\n", b" "]
)


@given(st.lists(PARTS, max_size=40), st.lists(st.integers(0, 90), max_size=9))
def test_events_are_what_the_standard_says_however_they_are_split(parts: list[bytes], cuts: list[int]) -> None:
    whole = b"".join(parts)
    places = sorted({0, len(whole), *(min(cut, len(whole)) for cut in cuts)})
    parser = SseParser()
    found = [event for a, b in itertools.pairwise(places) for event in parser.feed(whole[a:b])] + parser.finish()
    assert found == _by_the_standard(whole)


def _by_the_standard(whole: bytes) -> list[bytes]:
    """As the standard reads it, line by line; what was not ended counts too."""
    events, data = [], []
    lines = re.split(rb"\r\n|\n|\r", whole.removeprefix(b"\xef\xbb\xbf"))
    for line in (*lines, b""):
        if line.startswith(b"data:"):
            data.append(line[5:].removeprefix(b" "))
        elif not line and data:
            events.append(b"\n".join(data))
            data = []
    return events


@pytest.mark.parametrize("end", [b"", b"\r"])
def test_a_long_event_takes_time_by_its_length_and_not_by_its_square(end: bytes) -> None:
    parser, piece = SseParser(), b"x" * 1023 + (end or b"x")
    began = time.process_time()
    parser.feed(b"data: ")
    for _ in range(8000):
        parser.feed(piece)
    parser.finish()
    assert time.process_time() - began < 1.5  # by its square it would be ten times that


def test_an_event_without_an_end_is_not_kept_for_ever() -> None:
    for parser in (SseParser(1000), LinesParser(1000)):
        with pytest.raises(StreamBrokenError, match="1,000 bytes"):
            for _ in range(2000):
                parser.feed(b"x")
    lines = SseParser(1000)
    with pytest.raises(StreamBrokenError):
        for _ in range(2000):
            lines.feed(b"data: x\n")


def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
    return b"data: " + json.dumps({"choices": [{"delta": delta, "finish_reason": finish}]}).encode() + b"\n\n"


def test_a_call_is_told_apart_by_its_id_where_all_have_one_index() -> None:
    events = [
        chunk({"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "arguments": '{"x":1}'}}]}),
        chunk({"tool_calls": [{"index": 0, "id": "b", "function": {"name": "g", "arguments": "{}"}}]}),
        chunk({}, "stop"),
    ]
    said = summary(deltas_of("/v1/chat/completions", events))
    assert said["calls"] == [("a", "f", '{"x":1}'), ("b", "g", "{}")]
    assert said["finished"].reason == "tool_calls"


def test_other_names_of_the_same() -> None:
    events = [
        chunk({"reasoning": "hm"}),
        chunk({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "m"}]}]}),
        chunk({"content": [{"type": "text", "text": "Yes"}]}, "eos"),
    ]
    said = summary(deltas_of("/v1/chat/completions", events))
    assert (said["thinking"], said["text"], said["finished"].reason) == ("hmm", "Yes", "stop")


def test_redacted_thoughts_and_stop_strings_are_told() -> None:
    answer = replace(WHOLE, stop="END", finish="stop")
    said = summary(deltas_of("/v1/messages", [stream_of("/v1/messages", answer)]))
    assert said["signatures"] == ["anthropic-redacted opaque", "sig"]
    assert said["finished"].stop == "END"

"""Filters over streams: whatever the split, the text comes out as if it had come in one piece, and in its place."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable
from itertools import pairwise
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.backends.event_texts import JsonStrings, TextFilter, TextStream, filter_answer, spots
from app.backends.rules import JsonObject, WireProtocol

PROTOCOLS: tuple[WireProtocol, ...] = get_args(WireProtocol)
NAME, VALUE = "<P1>", 'Zoë "Z" \\ \n'


class Restorer:
    """Puts the value in the place of its name, and holds back what may be the beginning of one."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, text: str) -> str:
        text = (self._held + text).replace(NAME, VALUE)
        size = next((n for n in range(len(NAME) - 1, 0, -1) if text.endswith(NAME[:n])), 0)
        self._held = text[len(text) - size :]
        return text[: len(text) - size]

    def finish(self) -> str:
        held, self._held = self._held, ""
        return held


def expected(text: str) -> str:
    return text.replace(NAME, VALUE)


def pieces_of(text: str, cuts: list[int]) -> list[str]:
    places = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    return [text[a:b] for a, b in pairwise(places)]


# Streams in each protocol: thoughts, words, then the arguments of two calls


def chat(thoughts: list[str], words: list[str], calls: list[list[str]]) -> list[JsonObject]:
    def chunk(delta: JsonObject, finish: str | None = None) -> JsonObject:
        return {"id": "c", "model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}

    events = [chunk({"role": "assistant", "content": ""})]
    events += [chunk({"reasoning_content": text}) for text in thoughts]
    events += [chunk({"content": text}) for text in words]
    for index, arguments in enumerate(calls):
        opened = {"index": index, "id": f"c{index}", "type": "function", "function": {"name": "f", "arguments": ""}}
        events.append(chunk({"tool_calls": [opened]}))
        events += [chunk({"tool_calls": [{"index": index, "function": {"arguments": text}}]}) for text in arguments]
    return [*events, chunk({}, "stop"), {"id": "c", "model": "m", "choices": [], "usage": {"prompt_tokens": 1}}]


def completions(thoughts: list[str], words: list[str], calls: list[list[str]]) -> list[JsonObject]:
    events: list[JsonObject] = [{"choices": [{"index": 0, "text": text, "finish_reason": None}]} for text in words]
    return [*events, {"choices": [{"index": 0, "text": "", "finish_reason": "stop"}]}]


def responses(thoughts: list[str], words: list[str], calls: list[list[str]]) -> list[JsonObject]:
    events: list[JsonObject] = [{"type": "response.created", "response": {"output": []}}]
    output: list[JsonObject] = []
    for kind, texts in (("reasoning_text", thoughts), ("output_text", words)):
        at = {"output_index": len(output), "content_index": 0, "item_id": kind}
        events += [{"type": f"response.{kind}.delta", "delta": text, **at} for text in texts]
        events.append({"type": f"response.{kind}.done", "text": "".join(texts), **at})
        output.append({"type": "x", "content": [{"type": kind, "text": "".join(texts)}]})
        events.append({"type": "response.output_item.done", "output_index": at["output_index"], "item": output[-1]})
    for arguments in calls:
        at = {"output_index": len(output), "item_id": "call"}
        events += [{"type": "response.function_call_arguments.delta", "delta": text, **at} for text in arguments]
        whole = "".join(arguments)
        events.append({"type": "response.function_call_arguments.done", "arguments": whole, **at})
        output.append({"type": "function_call", "arguments": whole})
    copy = json.loads(json.dumps(output))
    return [*events, {"type": "response.completed", "response": {"output": copy}}]


def anthropic(thoughts: list[str], words: list[str], calls: list[list[str]]) -> list[JsonObject]:
    events: list[JsonObject] = [{"type": "message_start", "message": {"content": []}}, {"type": "ping"}]
    blocks: list[tuple[JsonObject, str, str, list[str]]] = [
        ({"type": "thinking", "thinking": ""}, "thinking_delta", "thinking", thoughts),
        ({"type": "text", "text": ""}, "text_delta", "text", words),
        *(({"type": "tool_use", "id": "t", "input": {}}, "input_json_delta", "partial_json", call) for call in calls),
    ]
    for index, (block, kind, name, texts) in enumerate(blocks):
        events.append({"type": "content_block_start", "index": index, "content_block": block})
        events += [{"type": "content_block_delta", "index": index, "delta": {"type": kind, name: t}} for t in texts]
        events.append({"type": "content_block_stop", "index": index})
    return [*events, {"type": "message_delta", "delta": {"stop_reason": "end_turn"}}, {"type": "message_stop"}]


def ollama(thoughts: list[str], words: list[str], calls: list[list[str]]) -> list[JsonObject]:
    def line(done: bool = False, **said: Any) -> JsonObject:
        return {
            "model": "m",
            "created_at": "now",
            "message": {"role": "assistant", "content": "", **said},
            "done": done,
        }

    events = [line(thinking=text) for text in thoughts] + [line(content=text) for text in words]
    made = [{"function": {"name": "f", "arguments": json.loads("".join(call))}} for call in calls]
    return [*events, line(tool_calls=made), line(done=True) | {"done_reason": "stop"}]


MAKERS: dict[WireProtocol, Callable[[list[str], list[str], list[list[str]]], list[JsonObject]]] = {
    "openai-chat": chat,
    "openai-completions": completions,
    "openai-responses": responses,
    "anthropic": anthropic,
    "ollama": ollama,
}


def flowing(protocol: WireProtocol, events: list[JsonObject]) -> dict[Hashable, str]:
    texts: dict[Hashable, str] = {}
    for event in events:
        for spot in spots(protocol, event):
            if not spot.whole:
                texts[spot.channel] = texts.get(spot.channel, "") + spot.text
    return {channel: text for channel, text in texts.items() if text}


def filtered(protocol: WireProtocol, events: list[JsonObject]) -> list[JsonObject]:
    stream = TextStream(protocol, Restorer)
    return [given for event in events for given in stream.event(event)] + list(stream.end())


TEXTS = st.lists(st.sampled_from([NAME, "<", "P1", "<P", "a", "é", "😀", '"', "\\", "\n", " "]), max_size=8).map(
    "".join
)
CUTS = st.lists(st.integers(0, 200), max_size=12)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@given(thoughts=TEXTS, words=TEXTS, values=st.lists(TEXTS, max_size=2), cuts=CUTS, ascii_only=st.booleans())
def test_any_split_gives_the_same_texts(
    protocol: WireProtocol, thoughts: str, words: str, values: list[str], cuts: list[int], ascii_only: bool
) -> None:
    calls = [json.dumps({"to": value, "n": [1, value]}, ensure_ascii=ascii_only) for value in values]
    make = MAKERS[protocol]
    events = make(pieces_of(thoughts, cuts), pieces_of(words, cuts), [pieces_of(call, cuts) for call in calls])
    before = json.loads(json.dumps(events))
    got = filtered(protocol, events)

    seen = flowing(protocol, got)
    was = flowing(protocol, before)
    assert set(seen) == set(was)
    for channel, text in was.items():
        if text in calls:
            value = values[calls.index(text)]
            assert json.loads(seen[channel]) == {"to": expected(value), "n": [1, expected(value)]}
        else:
            assert seen[channel] == expected(text)
    # What ends a channel comes after all its text; events that carry no text come once each, in their order.
    kinds = [e.get("type") for e in got if not str(e.get("type", "")).endswith("delta")]
    assert kinds == [e.get("type") for e in before if not str(e.get("type", "")).endswith("delta")] or protocol in (
        "openai-chat",
        "openai-completions",
        "ollama",
    )


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_nothing_changes_where_the_filter_changes_nothing(protocol: WireProtocol) -> None:
    events = MAKERS[protocol](["hm", "m"], ["Hello", " there"], [['{"a": ', '"b"}']])
    assert filtered(protocol, json.loads(json.dumps(events))) == [
        event for event in events if event.get("delta") != {"type": "input_json_delta", "partial_json": ""}
    ]


def test_what_was_held_back_comes_before_the_block_ends() -> None:
    got = filtered("anthropic", anthropic(["I see <P"], ["by <P1", "> or <P1"], []))
    kinds = [(event["type"], event.get("index"), (event.get("delta") or {}).get("text")) for event in got]
    assert ("content_block_delta", 1, " or ") not in kinds[-3:]
    stop = kinds.index(("content_block_stop", 1, None))
    assert kinds[stop - 1] == ("content_block_delta", 1, "<P1")
    assert kinds.index(("content_block_start", 1, None)) > [k[0] for k in kinds].index("content_block_stop")


def test_thoughts_are_given_out_before_words_begin() -> None:
    got = filtered("openai-chat", chat(["so <P"], ["yes"], []))
    said = [next(iter(event["choices"][0]["delta"].items()), None) for event in got if event["choices"]]
    assert said == [
        ("role", "assistant"),
        ("reasoning_content", "so "),
        ("reasoning_content", "<P"),
        ("content", "yes"),
        None,
    ]
    assert got[2]["id"] == "c"


def test_a_stream_that_breaks_gives_what_was_held_back() -> None:
    stream = TextStream("openai-chat", Restorer)
    assert list(stream.event({"choices": [{"index": 0, "delta": {"content": "<P"}}]})) == []
    assert [spot.text for event in stream.end() for spot in spots("openai-chat", event)] == ["<P"]
    assert list(stream.end()) == []


def test_events_given_on_may_be_spoilt_by_the_next_rule() -> None:
    stream = TextStream("openai-chat", Restorer)
    for event in stream.event({"id": "x", "choices": [{"index": 3, "delta": {"content": "a <P"}}]}):
        event.clear()
    (held,) = stream.end()
    assert held == {"id": "x", "choices": [{"index": 3, "delta": {"content": "<P"}, "finish_reason": None}]}


def test_the_last_event_keeps_its_reason_and_gets_the_text() -> None:
    stream = TextStream("openai-chat", Restorer)
    (event,) = stream.event({"choices": [{"index": 0, "delta": {"content": "end <P1"}, "finish_reason": "stop"}]})
    assert event["choices"][0] == {"index": 0, "delta": {"content": "end <P1"}, "finish_reason": "stop"}


def test_calls_side_by_side_each_have_their_filter() -> None:
    def chunk(*calls: JsonObject) -> JsonObject:
        return {"choices": [{"index": 0, "delta": {"tool_calls": list(calls)}, "finish_reason": None}]}

    events = [
        chunk({"index": 0, "id": "a", "function": {"name": "f", "arguments": ""}}),
        chunk({"index": 1, "id": "b", "function": {"name": "f", "arguments": ""}}),
        chunk(
            {"index": 0, "function": {"arguments": '{"x": "<P'}}, {"index": 1, "function": {"arguments": '{"y": "<'}}
        ),
        chunk({"index": 1, "function": {"arguments": 'P1>"}'}}, {"index": 0, "function": {"arguments": '1>"}'}}),
    ]
    texts = flowing("openai-chat", filtered("openai-chat", events))
    assert [json.loads(text) for text in texts.values()] == [{"x": VALUE}, {"y": VALUE}]


@pytest.mark.parametrize(
    ("protocol", "body", "place"),
    [
        ("openai-chat", {"choices": [{"message": {"content": "<P1>"}}]}, ("choices", 0, "message", "content")),
        ("openai-completions", {"choices": [{"text": "<P1>"}]}, ("choices", 0, "text")),
        ("openai-responses", {"output": [{"content": [{"text": "<P1>"}]}]}, ("output", 0, "content", 0, "text")),
        ("anthropic", {"content": [{"type": "tool_use", "input": {"a": ["<P1>"]}}]}, ("content", 0, "input", "a", 0)),
        ("ollama", {"message": {"thinking": "<P1>"}}, ("message", "thinking")),
    ],
)
def test_whole_answers(protocol: WireProtocol, body: JsonObject, place: tuple[str | int, ...]) -> None:
    found: Any = filter_answer(protocol, body, Restorer)
    for step in place:
        found = found[step]
    assert found == VALUE


WORDS = """type index delta content choices message tool_calls function arguments text part item output response done
error content_block thinking input finish_reason id output_index content_index"""
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 9) | st.text(max_size=6) | st.just("<P1"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS.split()), inner, max_size=4),
    max_leaves=12,
)
TYPES = st.sampled_from(
    ["response.output_text.delta", "response.output_item.done", "response.completed", "content_block_delta", "error"]
)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@given(
    events=st.lists(
        st.dictionaries(st.sampled_from(["choices", "index", "delta", "message", "part"]), JSON), max_size=4
    ),
    kind=TYPES,
)
def test_garbage_never_raises(protocol: WireProtocol, events: list[JsonObject], kind: str) -> None:
    filtered(protocol, [{"type": kind, **event} for event in events])
    for event in events:
        filter_answer(protocol, event, Restorer)


@given(st.text(max_size=40), CUTS)
def test_what_is_no_json_passes_without_an_error(text: str, cuts: list[int]) -> None:
    using: TextFilter = JsonStrings(Restorer)
    said = "".join(using.feed(piece) for piece in pieces_of(text, cuts)) + using.finish()
    if '"' not in text:
        assert said == text


def test_halves_of_surrogates_are_put_together_or_replaced() -> None:
    using = JsonStrings(Restorer)
    pieces = ['{"a": "\\ud8', "3d\\u", 'de00 \\ud83d x \\ude00 \\ud83d"}']
    assert json.loads("".join(map(using.feed, pieces))) == {"a": "\U0001f600 \ufffd x \ufffd \ufffd"}

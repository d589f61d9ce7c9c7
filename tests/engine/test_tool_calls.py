"""Calls of tools are found in every family's form, however the stream is cut; all else stays text."""

from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.engine.tool_calls import ToolCallSplitter, new_call_id
from app.messages import ToolCallDelta

NAMES = ("get_weather", "now")
CITY = '{"city": "Łódź {}\\" ]", "days": [1, {"a": "}"}]}'


def read(pieces: list[str]) -> tuple[str, list[tuple[str, str]]]:
    """The text, and name and arguments of each call."""
    numbers = itertools.count()
    splitter = ToolCallSplitter(NAMES, lambda: f"id{next(numbers)}")
    text = ""
    calls: list[tuple[str, str]] = []
    for found in itertools.chain(*map(splitter.feed, pieces), splitter.finish()):
        if isinstance(found, str):
            text += found
        elif found.name is not None:
            assert (found.index, found.call_id) == (len(calls), f"id{len(calls)}")
            calls.append((found.name, found.arguments))
        else:
            assert found.index == len(calls) - 1
            calls[-1] = (calls[-1][0], calls[-1][1] + found.arguments)
    assert splitter.called == bool(calls)
    return text, calls


ONE = [("get_weather", CITY)]
ANSWERS = {
    '<tool_call>\n{"name": "get_weather", "arguments": %s}\n</tool_call>': ("", ONE),
    '<tool_call>{"name": "get_weather", "arguments": %s}</tool_call>\n<tool_call>{"name":"now","arguments":'
    "{}}</tool_call>": ("", [*ONE, ("now", "{}")]),
    'I look.\n<tool_call>{"name": "get_weather", "arguments": %s}</tool_call> Wait.': ("I look. Wait.", ONE),
    '<tool_call>{"name": "get_weather", "arguments": %s</tool_call>': ("", ONE),
    '<tool_call>{"name": "get_weather", "arguments": %s, "id": "a}b"}</tool_call>': ("", ONE),
    '<tool_call>{"name": "now"}</tool_call>': ("", [("now", "{}")]),
    '\n{"name": "get_weather", "parameters": %s}': ("", ONE),
    '{"type": "function", "name": "get_weather", "parameters": %s}; {"name": "now", "parameters": {}}': (
        "",
        [*ONE, ("now", "{}")],
    ),
    '<|python_tag|>{"name": "get_weather", "parameters": %s}; {"name": "now", "parameters": {}}': (
        "",
        [*ONE, ("now", "{}")],
    ),
    '[TOOL_CALLS][{"name": "get_weather", "arguments": %s, "id": "123456789"}]': ("", ONE),
    '[TOOL_CALLS] [{"name": "get_weather", "arguments": %s}, {"name": "now", "arguments": {}}]': (
        "",
        [*ONE, ("now", "{}")],
    ),
    "[TOOL_CALLS]get_weather[ARGS]%s[TOOL_CALLS]now[CALL_ID]abc[ARGS]{}": ("", [*ONE, ("now", "{}")]),
    "[TOOL_CALLS]get_weather%s": ("", ONE),
    '<tool_call>{"name": "get_weather", "arguments": {"city": "Par': ("", [("get_weather", '{"city": "Par')]),
}
TEXTS = (
    "Plain words, 1 < 2 and [brackets] {braces}.",
    "  \n",
    "<tool_call",
    "<tool_call>not JSON</tool_call>",
    '<tool_call>{"name": "unknown", "arguments": {}}</tool_call>',
    '<tool_call>{"name": "get_wea',
    '{"name": "Bob", "parameters": {"age": 3}}',
    '{"answer": 42}',
    '{"name": "now"}',
    "{ braces } and [TOOL_CALLS] in words",
    "[TOOL_CALLS][1, 2]",
    "[TOOL_CALLS] [\n, x",
    '[TOOL_CALLS]unknown[ARGS]{"a": 1}',
    '<|python_tag|>print("hello")',
    'As JSON: {"name": "now", "parameters": {}}',
    "{",
    "[TOOL_CALLS]",
)


@pytest.mark.parametrize("form", ANSWERS)
def test_a_call_is_found_wherever_the_stream_is_cut(form: str) -> None:
    answer, expected = form.replace("%s", CITY), ANSWERS[form]
    assert read([answer]) == expected
    assert read(list(answer)) == expected
    for at in range(len(answer)):
        assert read([answer[:at], answer[at:]]) == expected


@pytest.mark.parametrize("text", TEXTS)
def test_what_only_looks_like_a_call_stays_text(text: str) -> None:
    assert read([text]) == (text, [])
    assert read(list(text)) == (text, [])


def test_a_rejected_opener_hides_no_call_behind_it() -> None:
    assert read(list('<tool_call> no <tool_call>{"name": "now", "arguments": {}}')) == (
        "<tool_call> no",
        [("now", "{}")],
    )


@pytest.mark.parametrize(
    "body",
    (
        '{"arguments": {"city": "Rome"}, "name": "get_weather"}',
        '{"name": "get_weather", "arguments": "{\\"city\\": \\"Rome\\"}"}',
        '{"type": "function", "function": {"name": "get_weather", "parameters": {"city": "Rome"}}}',
    ),
)
def test_unusual_orders_of_keys_are_calls_too(body: str) -> None:
    for answer in (body, f"<tool_call>{body}</tool_call>", f"[TOOL_CALLS][{body}]"):
        text, calls = read(list(answer))
        assert (text, calls[0][0], json.loads(calls[0][1])) == ("", "get_weather", {"city": "Rome"})


def test_arguments_come_as_they_are_written() -> None:
    splitter = ToolCallSplitter(NAMES)
    found = list(splitter.feed('<tool_call>{"name": "get_weather", "arguments": {"city": "Pa'))
    assert [delta.arguments for delta in found if isinstance(delta, ToolCallDelta)] == ["", '{"city": "Pa']
    (more,) = splitter.feed("ris")
    assert isinstance(more, ToolCallDelta)
    assert (more.index, more.arguments, more.name) == (0, "ris", None)


def test_ids_are_nine_letters_and_digits() -> None:
    assert all(len(made) == 9 and made.isalnum() for made in (new_call_id() for _ in range(100)))


_FRAGMENTS = st.sampled_from(
    ("<tool_call>", "</tool_call>", "[TOOL_CALLS]", "<|python_tag|>", '{"name": "now", "arguments": {}}', "{", "}",
     '{"name": "get_weather", "parameters": ', CITY, "[", "]", ",", ";", " ", "\n", "x", '"', "\\", "[ARGS]", "now")
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(_FRAGMENTS, max_size=8).map("".join), st.data())
def test_any_cut_of_any_stream_reads_the_same(answer: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(answer)), max_size=6)))
    pieces = [answer[start:end] for start, end in itertools.pairwise([0, *cuts, len(answer)])]
    assert read(pieces) == read([answer]) == read(list(answer))
    text, calls = read([answer])
    assert calls or text == answer, "text that is no call is lost"

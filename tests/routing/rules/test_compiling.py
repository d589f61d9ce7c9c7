"""Rules from the catalogue's words, at work on each protocol's bodies and events."""

import copy
import json
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.backends.endpoint import Endpoint, HeaderRules, Transform
from app.errors import CatalogueError, InvalidRequestError
from app.routing.rules import compile_rules


def rules(*transforms, headers=None):
    endpoint = Endpoint(
        name="far", kind="openai", url="https://far.example/v1", transforms=transforms, headers=headers or HeaderRules()
    )
    return compile_rules(endpoint, {}, "models.toml")


@pytest.mark.parametrize(
    ("transform", "said"),
    [
        ({"replace": "(a"}, r"'\(a'.*missing"),
        ({"replace": "a*"}, r"'a\*'.*empty text"),
        ({"replace": "a", "by": r"\2"}, "group 2"),
        ({"drop": "$.["}, r"'\$\.\['"),
        ({"drop": "$"}, "whole body"),
        ({"add": "$..a"}, r"'\$\.\.a'.*several places"),
        ({}, "none of them"),
        ({"drop": "$.a", "replace": "b"}, "replace and drop"),
        ({"drop": "$.a", "by": "b"}, "`by` beside drop"),
        ({"replace": "a", "value": 1}, "`value` beside replace"),
    ],
)
def test_a_mistake_names_the_file_the_endpoint_the_rule_and_the_pattern(transform, said):
    with pytest.raises(CatalogueError, match=said) as refused:
        rules(Transform(drop="$.fine"), Transform(**transform))
    assert "models.toml: [endpoints.far]: transforms[1]" in refused.value.message


def test_a_mistake_in_headers_names_the_endpoint():
    with pytest.raises(CatalogueError, match=r"models.toml: \[endpoints.far\]: headers: .*'x y'"):
        rules(headers=HeaderRules(drop=("x y",)))


def test_requests_are_changed_in_the_order_of_the_rules():
    exchange = rules(
        Transform(replace=r"blue (\w+)", by=r"red \1"),
        Transform(drop="$.user"),
        Transform(add="$.metadata.team", value="x"),
        Transform(replace="red", by="green", on="both"),
        Transform(replace="lamp", by="never", on="response"),
    ).exchange("openai-chat")
    body = {
        "model": "blue lamp",
        "user": "me",
        "messages": [
            {"role": "system", "content": "a blue lamp"},
            {
                "role": "user",
                "content": [{"type": "text", "text": "blue sea"}, {"type": "image_url", "image_url": {"url": "red"}}],
            },
            {
                "role": "assistant",
                "tool_calls": [{"id": "red", "function": {"name": "red", "arguments": '{"a": "red \\"x"}'}}],
            },
            {"role": "tool", "tool_call_id": "red", "content": "red"},
        ],
    }
    assert exchange.body(body) == {
        "model": "blue lamp",
        "metadata": {"team": "x"},
        "messages": [
            {"role": "system", "content": "a green lamp"},
            {
                "role": "user",
                "content": [{"type": "text", "text": "green sea"}, {"type": "image_url", "image_url": {"url": "red"}}],
            },
            {
                "role": "assistant",
                "tool_calls": [{"id": "red", "function": {"name": "red", "arguments": '{"a": "green \\"x"}'}}],
            },
            {"role": "tool", "tool_call_id": "red", "content": "green"},
        ],
    }


@pytest.mark.parametrize(
    ("protocol", "body", "given"),
    [
        ("openai-completions", {"prompt": ["a", "ab"], "suffix": "a"}, {"prompt": ["X", "Xb"], "suffix": "X"}),
        ("openai-completions", {"prompt": [[1, 2]]}, {"prompt": [[1, 2]]}),
        (
            "openai-responses",
            {
                "instructions": "a",
                "input": [{"content": [{"text": "a"}]}, {"type": "function_call_output", "output": "a"}],
            },
            {
                "instructions": "X",
                "input": [{"content": [{"text": "X"}]}, {"type": "function_call_output", "output": "X"}],
            },
        ),
        (
            "anthropic",
            {
                "system": [{"type": "text", "text": "a"}],
                "messages": [
                    {"content": "a"},
                    {"content": [{"type": "thinking", "thinking": "a", "signature": "a"}]},
                    {"content": [{"type": "tool_use", "id": "a", "name": "a", "input": {"a": ["a", {"b": "a"}]}}]},
                    {
                        "content": [
                            {"type": "tool_result", "tool_use_id": "a", "content": [{"type": "text", "text": "a"}]}
                        ]
                    },
                    {"content": [{"type": "image", "source": {"type": "base64", "data": "aaaa"}}]},
                ],
            },
            {
                "system": [{"type": "text", "text": "X"}],
                "messages": [
                    {"content": "X"},
                    {"content": [{"type": "thinking", "thinking": "a", "signature": "a"}]},
                    {"content": [{"type": "tool_use", "id": "a", "name": "a", "input": {"a": ["X", {"b": "X"}]}}]},
                    {
                        "content": [
                            {"type": "tool_result", "tool_use_id": "a", "content": [{"type": "text", "text": "X"}]}
                        ]
                    },
                    {"content": [{"type": "image", "source": {"type": "base64", "data": "aaaa"}}]},
                ],
            },
        ),
        (
            "ollama",
            {
                "system": "a",
                "messages": [
                    {"content": "a", "images": ["a"], "tool_calls": [{"function": {"arguments": {"q": "a"}}}]}
                ],
            },
            {
                "system": "X",
                "messages": [
                    {"content": "X", "images": ["a"], "tool_calls": [{"function": {"arguments": {"q": "X"}}}]}
                ],
            },
        ),
    ],
)
def test_texts_of_every_protocol_and_nothing_else(protocol, body, given):
    assert rules(Transform(replace="a", by="X")).exchange(protocol).body(body) == given


@given(
    st.recursive(
        st.one_of(st.none(), st.text("a"), st.integers()),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.dictionaries(
                st.sampled_from(
                    [
                        "messages",
                        "content",
                        "type",
                        "text",
                        "input",
                        "system",
                        "prompt",
                        "tool_calls",
                        "function",
                        "arguments",
                    ]
                ),
                inner,
                max_size=4,
            ),
        ),
        max_leaves=20,
    )
)
def test_whatever_shape_a_body_has_it_passes(body):
    body = body if isinstance(body, dict) else {"messages": body}
    for protocol in ("openai-chat", "openai-completions", "openai-responses", "anthropic", "ollama"):
        rules(Transform(replace="a", by="X")).exchange(protocol).body(copy.deepcopy(body))


def test_what_nests_too_deeply_is_not_sent():
    body = {}
    here = body
    for _ in range(300):
        here["a"] = {}
        here = here["a"]
    with pytest.raises(InvalidRequestError, match=r"\$\.\.user"):
        rules(Transform(drop="$..user")).exchange("openai-chat").body(body)


def chat_event(text=None, **more):
    return {
        "id": "x",
        "choices": [{"index": 0, "delta": {} if text is None else {"content": text}, "finish_reason": None} | more],
    }


def said(events):
    return "".join(choice["delta"].get("content") or "" for event in events for choice in event["choices"])


@settings(deadline=None)
@given(st.text("ab-1 ", max_size=40), st.lists(st.integers(0, 40), max_size=8))
def test_a_streamed_answer_is_changed_as_a_whole_one_is(text, cuts):
    compiled = rules(
        Transform(replace=r"a+-?1", by="<one>", on="response"),
        Transform(drop="$.id", on="response"),
        Transform(replace=r"<(\w+)> b", by=r"[\1]", on="both"),
    )
    places = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    exchange, events = compiled.exchange("openai-chat"), []
    for start, end in pairwise(places):
        events += exchange.event(chat_event(text[start:end]))
    events += exchange.event(chat_event(finish_reason="stop"))
    events += exchange.end()
    whole = compiled.exchange("openai-chat").answer(
        {"id": "x", "choices": [{"index": 0, "message": {"content": text}}]}
    )
    assert said(events) == whole["choices"][0]["message"]["content"]
    assert not any("id" in event for event in events) and "id" not in whole
    assert events[-1]["choices"][0]["finish_reason"] == "stop"


def test_a_tool_calls_arguments_stay_json():
    exchange = rules(Transform(replace='a"b', by='"', on="response")).exchange("anthropic")
    pieces = ['{"q": "xa', "\\", '"b', 'y"}']
    events = [
        {
            "type": "content_block_start",
            "index": 0,
            "content_block": {"type": "tool_use", "id": "1", "name": "f", "input": {}},
        }
    ]
    events += [
        {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": piece}}
        for piece in pieces
    ]
    events += [{"type": "content_block_stop", "index": 0}]
    given = [changed for event in events for changed in exchange.event(event)] + list(exchange.end())
    arguments = "".join(event["delta"]["partial_json"] for event in given if event["type"] == "content_block_delta")
    assert json.loads(arguments) == {"q": 'x"y'}
    assert given[-1]["type"] == "content_block_stop"


def test_an_event_cannot_be_given_what_it_has_no_place_for():
    exchange = rules(Transform(add="$.delta.note", value=1, on="response")).exchange("anthropic")
    assert exchange.event({"type": "message_stop"}) == [{"type": "message_stop"}]

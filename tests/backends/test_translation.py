"""Neutral words to a provider's and back are the same, for what its protocol carries; what it cannot is as documented.

The reading side is our own server's, written from the same documents by other hands.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.backends.endpoint import EndpointKind
from app.backends.kinds import kind_of
from app.errors import TranslationError
from app.messages import (
    ChatRequest,
    Image,
    Message,
    ResponseFormat,
    Sampling,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from app.server.anthropic.asking import request_of
from app.server.anthropic.wire import MessagesRequest
from app.server.ollama.asking import chat_of
from app.server.ollama.wire import ChatBody
from app.server.openai.chat import neutral_request as chat_request
from app.server.openai.responses_asking import neutral_request as responses_request
from app.server.openai.responses_wire import ResponsesRequest
from app.server.openai.wire import ChatCompletionRequest
from app.settings import Settings

from .reaching import asking
from .test_reading import drive

PNG = b"\x89PNG\r\n\x1a\n0"


async def _known(name: str) -> bool:
    return True


SERVICES: Any = SimpleNamespace(router=SimpleNamespace(knows=_known), settings=Settings(), clock=lambda: 0.0)


def read_back(kind: EndpointKind, request: ChatRequest) -> ChatRequest:
    """What our server understands of it."""
    dialect = kind_of(kind).way(request)
    body = msgspec.json.encode(dialect.body(request))
    match dialect.protocol:
        case "openai-chat":
            return drive(chat_request(SERVICES, ChatCompletionRequest.model_validate_json(body)))
        case "openai-responses":
            return drive(responses_request(SERVICES, ResponsesRequest.model_validate_json(body)))
        case "anthropic":
            return request_of(MessagesRequest.model_validate_json(body), request.model)
        case _:
            return chat_of(ChatBody.model_validate_json(body), request.model, 0)


# Conversations that every protocol can carry

WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
IDS = st.from_regex(r"[a-z0-9_]{1,8}", fullmatch=True)
ARGUMENTS = st.dictionaries(WORDS, st.integers(-5, 5) | WORDS | st.none() | st.booleans(), max_size=2).map(
    lambda value: msgspec.json.encode(value).decode()
)
PICTURES = st.just(Image("image/png", data=PNG))
ADDRESSES = st.sampled_from([Image("", url="https://example.com/a.png")])
TOOLS = st.lists(
    st.builds(Tool, IDS, WORDS, st.just({"type": "object", "properties": {"a": {"type": "integer"}}})),
    min_size=1,
    max_size=3,
    unique_by=lambda tool: tool.name,
)


@st.composite
def conversations(draw: st.DrawFn, *, pictures: st.SearchStrategy[Image], many_texts: bool) -> tuple[Message, ...]:
    messages = [Message.system(draw(WORDS))] if draw(st.booleans()) else []
    count = 0
    for _ in range(draw(st.integers(1, 3))):
        texts = draw(st.lists(WORDS.map(Text), min_size=1, max_size=2 if many_texts else 1))
        messages.append(Message("user", (*texts, *draw(st.lists(pictures, max_size=1)))))
        if draw(st.booleans()):
            calls = []
            for name in draw(st.lists(IDS, max_size=2)):
                calls.append(ToolCall(f"call_{count}", name, draw(ARGUMENTS)))
                count += 1
            messages.append(Message("assistant", (Text(draw(WORDS)), *calls)))
            messages += [Message("tool", (ToolResult(call.call_id, draw(WORDS)),)) for call in calls]
        else:
            messages.append(Message.assistant(draw(WORDS)))
    return (*messages, Message.user(draw(WORDS)))


def requests(draw: st.DrawFn, sampling: dict[str, Any], *, choices: bool = True, **how: Any) -> ChatRequest:
    tools = tuple(draw(TOOLS)) if draw(st.booleans()) else ()
    choice = ToolChoice()
    if tools and choices:
        picks = [ToolChoice("none"), ToolChoice("required"), ToolChoice("required", tools[0].name)]
        choice = draw(st.sampled_from([choice, *picks]))
    schema = draw(st.sampled_from([None, {"type": "object", "properties": {"a": {"type": "string"}}}]))
    return ChatRequest(
        model=how.pop("model", "m"),
        messages=draw(conversations(**how)),
        sampling=Sampling(**{name: draw(value) for name, value in sampling.items() if draw(st.booleans())}),
        tools=tools,
        tool_choice=choice,
        response_format=ResponseFormat(json_schema=schema),
    )


UNIT = st.floats(0.01, 1, allow_nan=False)
STOPS = st.lists(WORDS, min_size=1, max_size=4).map(tuple)
OPENAI: dict[str, Any] = {
    "temperature": UNIT,
    "top_p": UNIT,
    "frequency_penalty": UNIT,
    "presence_penalty": UNIT,
    "seed": st.integers(0, 2**32 - 1),
    "logit_bias": st.dictionaries(st.integers(0, 9), st.floats(-9, 9), min_size=1, max_size=2),
    "stop": STOPS,
    "max_tokens": st.integers(1, 999),
    "logprobs": st.integers(0, 5),
}
LLAMA: dict[str, Any] = {
    "top_k": st.integers(0, 99),
    "min_p": UNIT,
    "repeat_penalty": UNIT,
    "repeat_last_n": st.integers(-1, 99),
}


@given(st.data())
@settings(max_examples=150)
def test_openai_carries(data: st.DataObject) -> None:
    how = {"pictures": PICTURES | ADDRESSES, "many_texts": True}
    request = requests(data.draw, OPENAI, **how)
    assert read_back("openai", request) == request
    request = requests(data.draw, OPENAI | LLAMA, **how)
    assert read_back("openai-compatible", request) == request


@given(st.data())
@settings(max_examples=100)
def test_responses_carries(data: st.DataObject) -> None:
    sampling = {"max_tokens": OPENAI["max_tokens"]}
    request = requests(data.draw, sampling, model="o3-pro", pictures=PICTURES | ADDRESSES, many_texts=True)
    assert read_back("openai", request) == request


@given(st.data())
@settings(max_examples=150)
def test_anthropic_carries(data: st.DataObject) -> None:
    sampling = {"temperature": UNIT, "top_k": st.integers(1, 99), "stop": STOPS}
    request = requests(data.draw, sampling, pictures=PICTURES | ADDRESSES, many_texts=True)
    chosen = msgspec.structs.replace(request.sampling, max_tokens=data.draw(st.integers(1, 999)))
    request = msgspec.structs.replace(request, sampling=chosen)
    assert read_back("anthropic", request) == request


@given(st.data())
@settings(max_examples=150)
def test_ollama_carries(data: st.DataObject) -> None:
    sampling = {name: value for name, value in (OPENAI | LLAMA).items() if name != "logit_bias"}
    request = requests(data.draw, sampling, choices=False, pictures=PICTURES, many_texts=False)
    assert read_back("ollama", request) == request


# What is lost, changed or refused, as the modules say

CALLED = (
    Message.user("?"),
    Message(
        "assistant",
        (Thinking("hm", "sig"), Thinking("", "anthropic-redacted x"), Thinking("own"), ToolCall("c", "f", "no json")),
    ),
    Message("tool", (ToolResult("c", "broke", is_error=True),)),
)


def body(kind: EndpointKind, request: ChatRequest) -> dict[str, Any]:
    return kind_of(kind).way(request).body(request)


def test_thinking_goes_back_to_who_signed_it_and_failures_are_marked() -> None:
    said = body("anthropic", asking(messages=CALLED))["messages"]
    assert said[1]["content"] == [
        {"type": "thinking", "thinking": "hm", "signature": "sig"},
        {"type": "redacted_thinking", "data": "x"},
        {"type": "tool_use", "id": "c", "name": "f", "input": {"arguments": "no json"}},
    ]
    assert said[2]["content"] == [{"type": "tool_result", "tool_use_id": "c", "content": "broke", "is_error": True}]
    for kind in ("openai-compatible", "ollama"):
        said = body(kind, asking(messages=CALLED))["messages"]
        assert said[1].get("reasoning_content", said[1].get("thinking")) == "hmown"
        assert said[2]["content"] == "Error: broke"
    assert "reasoning_content" not in body("openai", asking(messages=CALLED))["messages"][1]


def test_encrypted_thoughts_go_back_to_responses_and_nowhere_else() -> None:
    thought = Thinking("hm", "openai-reasoning rs_1 secret")
    request = asking("o3-pro", messages=(Message.user("?"), Message("assistant", (thought, Text("a")))))
    assert body("openai", request)["input"][1] == {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [{"type": "summary_text", "text": "hm"}],
        "encrypted_content": "secret",
    }
    assert "secret" not in str(body("anthropic", request))


def test_anthropic_gets_turns_in_its_order() -> None:
    messages = (
        Message.system("one"),
        Message.system("two"),
        Message.user("a"),
        Message.user("b"),
        Message("assistant", (Text(""), ToolCall("c", "f", "{}"), ToolCall("d", "f", "{}"))),
        Message("tool", (ToolResult("c", "1"),)),
        Message.user("meanwhile"),
        Message("tool", (ToolResult("d", "2"),)),
    )
    said = body("anthropic", asking(messages=messages, sampling=Sampling(temperature=1.5, top_p=0.5)))
    assert [block["text"] for block in said["system"]] == ["one", "two"]
    assert [(turn["role"], [block["type"] for block in turn["content"]]) for turn in said["messages"]] == [
        ("user", ["text", "text"]),
        ("assistant", ["tool_use", "tool_use"]),
        ("user", ["tool_result", "tool_result", "text"]),
    ]
    assert (said["temperature"], "top_p" in said, said["max_tokens"]) == (1.0, False, 8192)


def test_models_that_reason_are_not_told_how_to_sample() -> None:
    sampling = Sampling(temperature=0.3, top_p=0.5, presence_penalty=1.0, max_tokens=5)
    for model in ("gpt-5-mini", "o3", "o4-mini"):
        said = body("openai", asking(model, sampling=sampling))
        assert said["max_completion_tokens"] == 5
        assert not {"temperature", "top_p", "presence_penalty"} & set(said)
    assert body("openai", asking("gpt-4o", sampling=sampling))["temperature"] == 0.3
    assert body("openai-compatible", asking("o3", sampling=sampling))["max_tokens"] == 5


URL_PICTURE = (Message("user", (Image("", url="https://example.com/a.png"),)),)
MADE_PICTURE = (Message("assistant", (Image("image/png", data=PNG),)),)
TOOL = (Tool("f", "", {}),)


@pytest.mark.parametrize(
    ("kind", "model", "fields"),
    [
        ("openai", "m", {"response_format": ResponseFormat(grammar="root ::= x")}),
        ("openai", "m", {"sampling": Sampling(stop=tuple("abcde"))}),
        ("openai", "m", {"messages": MADE_PICTURE}),
        ("openai", "o3", {"sampling": Sampling(logprobs=1)}),
        ("openai", "o3", {"sampling": Sampling(logit_bias={1: 1.0})}),
        ("openai", "o3-pro", {"sampling": Sampling(stop=("a",))}),
        ("openai", "o3-pro", {"sampling": Sampling(logprobs=1)}),
        ("openai", "o3-pro", {"response_format": ResponseFormat(grammar="x")}),
        ("openai", "m", {"prompt": "x", "response_format": ResponseFormat(json_schema={})}),
        ("anthropic", "m", {"prompt": "x"}),
        ("anthropic", "m", {"sampling": Sampling(logprobs=1)}),
        ("anthropic", "m", {"sampling": Sampling(logit_bias={1: 1.0})}),
        ("anthropic", "m", {"response_format": ResponseFormat(grammar="x")}),
        ("anthropic", "m", {"response_format": ResponseFormat(json_schema={})}),
        ("anthropic", "m", {"messages": MADE_PICTURE}),
        ("ollama", "m", {"messages": URL_PICTURE}),
        ("ollama", "m", {"sampling": Sampling(logit_bias={1: 1.0})}),
        ("ollama", "m", {"response_format": ResponseFormat(grammar="x")}),
        ("ollama", "m", {"prompt": (1, 2)}),
        ("ollama", "m", {"tools": TOOL, "tool_choice": ToolChoice("required")}),
    ],
)
def test_what_a_protocol_has_no_words_for_is_refused(kind: EndpointKind, model: str, fields: dict[str, Any]) -> None:
    with pytest.raises(TranslationError) as raised:
        body(kind, asking(model, **fields))
    assert raised.value.remedy


def test_ollama_is_asked_not_to_cut_what_is_too_long() -> None:
    said = body("ollama", asking(tools=TOOL, tool_choice=ToolChoice("none")))
    assert (said["truncate"], said["shift"], "tools" in said) == (False, False, False)

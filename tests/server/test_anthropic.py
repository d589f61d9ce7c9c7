"""Anthropic's Messages API, driven by the unmodified ``anthropic`` client on a real socket."""

import asyncio
from contextlib import nullcontext
from dataclasses import replace
from types import SimpleNamespace

import anthropic
import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.errors import BusyError, ContextOverflowError, EngineError, VaultLockedError
from app.messages import (
    Finished,
    Image,
    Message,
    Text,
    Thinking,
    ThinkingDelta,
    Tool,
    ToolCall,
    ToolCallDelta,
    ToolChoice,
    ToolResult,
    Usage,
)
from app.server.anthropic.asking import request_of
from app.server.anthropic.wire import MessagesRequest

from .scripted import served, services_of

HELLO = [{"role": "user", "content": "Hello"}]
WEATHER = {
    "name": "weather",
    "description": "The weather of a place.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
ASKED = {"model": "scripted", "max_tokens": 50, "messages": HELLO}


@pytest.fixture
async def claude(address):
    async with anthropic.AsyncAnthropic(base_url=address, api_key="none", max_retries=0, timeout=20) as client:
        yield client


async def test_a_message_is_answered(claude, backend):
    message = await claude.messages.create(
        **ASKED,
        system="Be kind.",
        # Newer versions of the client have no arguments for these; older ones send them, and programs still do.
        extra_body={"temperature": 0.5, "top_p": 0.9, "top_k": 7},
        stop_sequences=["END"],
        metadata={"user_id": "me"},
    )
    assert (message.type, message.role, message.model) == ("message", "assistant", "scripted")
    assert message.content[0].text == "Hello there."
    assert (message.stop_reason, message.stop_sequence) == ("end_turn", None)
    # What was cached is told by itself, and is no input token there.
    assert (message.usage.input_tokens, message.usage.cache_read_input_tokens, message.usage.output_tokens) == (5, 4, 2)
    asked = backend.requests[0]
    assert asked.messages == (Message.system("Be kind."), Message.user("Hello"))
    sampling = asked.sampling
    assert (sampling.temperature, sampling.top_p, sampling.top_k, sampling.max_tokens) == (0.5, 0.9, 7, 50)
    assert sampling.stop == ("END",)


async def test_a_stream_has_the_documented_events(claude, backend):
    stream = await claude.messages.create(**ASKED, stream=True)
    events = [event async for event in stream]
    assert [event.type for event in events] == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert events[0].message.usage.input_tokens == 9
    assert events[-2].usage.output_tokens == 2


async def test_the_bytes_of_a_stream_hold_a_ping(address):
    async with httpx.AsyncClient() as client:
        answer = await client.post(f"{address}/v1/messages", json={**ASKED, "stream": True})
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert 'event: ping\ndata: {"type":"ping"}\n\n' in answer.text
    assert answer.text.startswith("event: message_start\n")
    assert answer.text.endswith('event: message_stop\ndata: {"type":"message_stop"}\n\n')


async def test_the_clients_own_helper_assembles_the_answer(claude):
    async with claude.messages.stream(**ASKED) as stream:
        text = "".join([piece async for piece in stream.text_stream])
        message = await stream.get_final_message()
    assert text == message.content[0].text == "Hello there."
    assert message.stop_reason == "end_turn"


async def test_thoughts_come_only_to_who_wants_them(claude, backend):
    backend.steps = [ThinkingDelta("Hm, "), ThinkingDelta("well."), "Yes."]
    plain = await claude.messages.create(**ASKED)
    assert [block.type for block in plain.content] == ["text"]
    wanted = {**ASKED, "max_tokens": 2000, "thinking": {"type": "enabled", "budget_tokens": 1024}}
    whole = await claude.messages.create(**wanted)
    assert [block.type for block in whole.content] == ["thinking", "text"]
    assert whole.content[0].thinking == "Hm, well."
    async with claude.messages.stream(**wanted) as stream:
        message = await stream.get_final_message()
    assert [block.type for block in message.content] == ["thinking", "text"]
    assert (message.content[0].thinking, message.content[1].text) == ("Hm, well.", "Yes.")


@pytest.mark.parametrize("streamed", [False, True])
async def test_tools_are_offered_and_called(claude, backend, streamed):
    backend.steps = [
        "Let me see.",
        ToolCallDelta(0, "", "toolu_1", "weather"),
        ToolCallDelta(0, '{"city": '),
        ToolCallDelta(0, '"Paris"}'),
        ToolCallDelta(1, '{"city": "Rome"}', "toolu_2", "weather"),
        Finished("tool_calls", Usage(9, 12)),
    ]
    asked = {**ASKED, "tools": [WEATHER], "tool_choice": {"type": "tool", "name": "weather"}}
    if streamed:
        async with claude.messages.stream(**asked) as stream:
            message = await stream.get_final_message()
    else:
        message = await claude.messages.create(**asked)
    assert [block.type for block in message.content] == ["text", "tool_use", "tool_use"]
    assert [(block.id, block.name, block.input) for block in message.content[1:]] == [
        ("toolu_1", "weather", {"city": "Paris"}),
        ("toolu_2", "weather", {"city": "Rome"}),
    ]
    assert message.stop_reason == "tool_use"
    request = backend.requests[0]
    assert request.tools == (Tool("weather", WEATHER["description"], WEATHER["input_schema"]),)
    assert request.tool_choice == ToolChoice("required", "weather")


def test_every_kind_of_content_becomes_neutral():
    asked = MessagesRequest.model_validate(
        {
            "model": "m",
            "max_tokens": 9,
            "system": [{"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}}],
            "tools": [WEATHER],
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "What is this?"},
                        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
                        {"type": "image", "source": {"type": "url", "url": "https://pictures.example/cat.png"}},
                    ],
                },
                {
                    "role": "assistant",
                    "content": [
                        {"type": "thinking", "thinking": "Hm.", "signature": "s"},
                        {"type": "redacted_thinking", "data": "x"},
                        {"type": "tool_use", "id": "t1", "name": "weather", "input": {"city": "Paris"}},
                    ],
                },
                {
                    "role": "user",
                    "content": [
                        {"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "Rain"}]},
                        {"type": "text", "text": "And now?"},
                    ],
                },
                {"role": "assistant", "content": "The weather is"},
            ],
        }
    )
    assert request_of(asked, "m").messages == (
        Message.system("Be kind."),
        Message(
            "user",
            (
                Text("What is this?"),
                Image("image/png", data=b"\0\0\0"),
                Image("", url="https://pictures.example/cat.png"),
            ),
        ),
        Message("assistant", (Thinking("Hm.", "s"), ToolCall("t1", "weather", '{"city":"Paris"}'))),
        Message("tool", (ToolResult("t1", "Rain"),)),
        Message.user("And now?"),
        Message.assistant("The weather is"),
    )


@pytest.mark.parametrize(
    ("finished", "reason", "sequence"),
    [
        (Finished("stop", stop="END"), "stop_sequence", "END"),
        (Finished("length"), "max_tokens", None),
        (Finished("content_filter"), "refusal", None),
    ],
)
async def test_why_it_ended_is_told(claude, backend, finished, reason, sequence):
    backend.steps = ["Yes", finished]
    whole = await claude.messages.create(**ASKED)
    async with claude.messages.stream(**ASKED) as stream:
        streamed = await stream.get_final_message()
    assert (whole.stop_reason, whole.stop_sequence) == (reason, sequence)
    assert (streamed.stop_reason, streamed.stop_sequence) == (reason, sequence)


async def test_a_schema_holds_the_answer(claude, backend):
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "additionalProperties": False}
    await claude.messages.create(**ASKED, output_config={"format": {"type": "json_schema", "schema": schema}})
    assert backend.requests[0].response_format.json_schema == schema


@pytest.mark.parametrize(
    ("changed", "raised", "said"),
    [
        ({"model": "nobody"}, anthropic.NotFoundError, "nobody"),
        ({"messages": []}, anthropic.BadRequestError, "messages"),
        ({"max_tokens": 0}, anthropic.BadRequestError, "max_tokens"),
        ({"extra_body": {"temperature": 2}}, anthropic.BadRequestError, "temperature"),
        ({"extra_body": {"colour": "red"}}, anthropic.BadRequestError, "colour"),
        ({"tool_choice": {"type": "any"}}, anthropic.BadRequestError, "tool_choice"),
        ({"tools": [{"type": "bash_20250124", "name": "bash"}]}, anthropic.BadRequestError, "tools.0"),
        ({"thinking": {"type": "enabled", "budget_tokens": 2000}}, anthropic.BadRequestError, "budget_tokens"),
        ({"extra_body": {"mcp_servers": [{"url": "x"}]}}, anthropic.BadRequestError, "mcp_servers"),
        (
            {"messages": [{"role": "user", "content": [{"type": "document", "source": {}}]}]},
            anthropic.BadRequestError,
            "messages",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "thinking", "thinking": "x", "signature": ""}]}]},
            anthropic.BadRequestError,
            "messages.0.content.0",
        ),
    ],
)
async def test_what_cannot_be_honoured_raises_the_clients_own_class(claude, changed, raised, said):
    with pytest.raises(raised, match=said) as caught:
        await claude.messages.create(**{**ASKED, **changed})
    assert caught.value.body["type"] == "error"
    assert caught.value.body["error"]["type"] in ("invalid_request_error", "not_found_error")


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    ("error", "raised", "kind"),
    [
        (BusyError("Full."), anthropic.OverloadedError, "overloaded_error"),
        (VaultLockedError("Locked."), anthropic.InternalServerError, "overloaded_error"),
        (ContextOverflowError("Too long."), anthropic.BadRequestError, "invalid_request_error"),
        (EngineError("Broken."), anthropic.InternalServerError, "api_error"),
    ],
)
async def test_what_fails_at_once_raises_the_clients_own_class(claude, backend, error, raised, kind, streamed):
    async def fails(request):
        raise error
        yield

    backend.stream = fails
    with pytest.raises(raised) as caught:
        await claude.messages.create(**ASKED, stream=streamed)
    assert caught.value.body["error"]["type"] == kind


async def test_an_error_in_the_middle_is_an_event(claude, backend):
    backend.steps = ["Half", EngineError("The engine stopped.")]
    stream = await claude.messages.create(**ASKED, stream=True)
    with pytest.raises(anthropic.APIStatusError, match="The engine stopped"):
        async for _event in stream:
            pass


@pytest.mark.parametrize("streamed", [False, True])
async def test_who_leaves_stops_the_answer(claude, backend, streamed):
    backend.steps = ["word ", 0.01] * 2000

    async def ask():
        if streamed:
            async with claude.messages.stream(**ASKED) as stream:
                async for _piece in stream.text_stream:
                    break
        else:
            await claude.messages.create(**ASKED)

    with pytest.raises(TimeoutError) if not streamed else nullcontext():
        await asyncio.wait_for(ask(), 0.5)
    await backend.idle()
    assert backend.given < 200


async def test_tokens_are_counted(backend):
    seen = []

    async def count_tokens(request):
        seen.append(request)
        return 42

    services = replace(services_of(backend), pool=SimpleNamespace(count_tokens=count_tokens))
    async with (
        served(services) as address,
        anthropic.AsyncAnthropic(base_url=address, api_key="none", max_retries=0) as client,
    ):
        counted = await client.messages.count_tokens(model="scripted", messages=HELLO, system="Be kind.")
        with pytest.raises(anthropic.NotFoundError):
            await client.messages.count_tokens(model="nobody", messages=HELLO)
    assert counted.input_tokens == 42
    assert seen[0].messages == (Message.system("Be kind."), Message.user("Hello"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
NAMES = st.sampled_from(
    ["model", "messages", "max_tokens", "system", "tools", "tool_choice", "thinking", "stop_sequences", "stream", "x"]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=60) | (JSON | st.dictionaries(NAMES, JSON, max_size=5)).map(msgspec.json.encode))
async def test_garbage_is_refused_in_anthropics_shape(address, body):
    async with httpx.AsyncClient() as client:
        for path in ("/v1/messages", "/v1/messages/count_tokens"):
            answer = await client.post(address + path, content=body, headers={"content-type": "application/json"})
            assert 400 <= answer.status_code < 500, answer.text
            assert answer.json()["type"] == "error"
            assert answer.json()["error"]["message"]

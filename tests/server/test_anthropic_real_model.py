"""The unmodified ``anthropic`` client on the real starter model."""

import asyncio
from contextlib import asynccontextmanager

import anthropic
import pytest
import pytest_asyncio

from tests.starter import NAME

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUESTION = [{"role": "user", "content": "What is the capital of France? One word."}]
STORY = [{"role": "user", "content": "Tell me a very long story."}]
GREEDY = {"extra_body": {"temperature": 0}}
TOOLS = [
    {
        "name": "get_weather",
        "description": "The weather of a place.",
        "input_schema": {
            "type": "object",
            "properties": {"city": {"type": "string", "maxLength": 20}, "days": {"type": "integer"}},
            "required": ["city", "days"],
        },
    },
    {"name": "stop", "description": "Ends it.", "input_schema": {"type": "object", "properties": {}}},
]


@asynccontextmanager
async def beside(real):
    address = str(real.base_url).removesuffix("/v1/")
    async with anthropic.AsyncAnthropic(base_url=address, api_key="none", max_retries=0, timeout=60) as client:
        client.playground = real.playground
        yield client


@pytest_asyncio.fixture(loop_scope="module")
async def claude(lasting_client):
    async with beside(lasting_client) as client:
        yield client


@pytest.fixture
async def first_claude(real_client):
    """Nobody asked the model before."""
    async with beside(real_client) as client:
        yield client


def prompt_tokens(usage):
    return usage.input_tokens + usage.cache_read_input_tokens


async def test_a_message_is_answered_whole_and_streamed_alike(claude):
    whole = await claude.messages.create(model=NAME, messages=QUESTION, max_tokens=24, **GREEDY)
    async with claude.messages.stream(model=NAME, messages=QUESTION, max_tokens=24, **GREEDY) as stream:
        text = "".join([piece async for piece in stream.text_stream])
        last = await stream.get_final_message()
    assert "Paris" in text
    assert text == whole.content[0].text == last.content[0].text
    assert (last.stop_reason, whole.stop_reason) == ("end_turn", "end_turn")
    assert last.usage.output_tokens == whole.usage.output_tokens
    assert prompt_tokens(last.usage) == prompt_tokens(whole.usage)
    short = await claude.messages.create(model=NAME, messages=QUESTION, max_tokens=2, **GREEDY)
    assert (short.stop_reason, short.usage.output_tokens) == ("max_tokens", 2)
    stopped = await claude.messages.create(
        model=NAME, messages=QUESTION, max_tokens=24, stop_sequences=["Paris"], **GREEDY
    )
    assert (stopped.stop_reason, stopped.stop_sequence) == ("stop_sequence", "Paris")
    assert "Paris" not in "".join(block.text for block in stopped.content)


async def test_what_is_counted_is_what_is_used(claude):
    blocks = [{"role": "user", "content": [{"type": "text", "text": "Hello, wörld"}, {"type": "text", "text": "!"}]}]
    turns = [*QUESTION, {"role": "assistant", "content": "Paris."}, {"role": "user", "content": "And of Italy?"}]
    counts = []
    for asked in (
        {"messages": QUESTION},
        {"messages": QUESTION, "system": "You answer in rhymes."},
        {"messages": QUESTION, "system": [{"type": "text", "text": "You answer in rhymes."}]},
        {"messages": turns},
        {"messages": blocks},
        {"messages": QUESTION, "tools": TOOLS},
    ):
        counted = await claude.messages.count_tokens(model=NAME, **asked)
        used = await claude.messages.create(model=NAME, max_tokens=1, **asked)
        assert counted.input_tokens == prompt_tokens(used.usage)
        counts.append(counted.input_tokens)
    assert counts[1] == counts[2]
    assert counts[5] > counts[0] > 0


@pytest.mark.asyncio(loop_scope="function")
async def test_what_no_cache_held_is_all_input(first_claude):
    messages = [{"role": "user", "content": "A question that nobody has asked before: 7139?"}]
    counted = await first_claude.messages.count_tokens(model=NAME, system="Fresh.", messages=messages)
    used = await first_claude.messages.create(model=NAME, system="Fresh.", messages=messages, max_tokens=1)
    assert counted.input_tokens == used.usage.input_tokens + used.usage.cache_read_input_tokens
    assert used.usage.cache_read_input_tokens <= 2


@pytest.mark.parametrize("choice", [{"type": "any"}, {"type": "tool", "name": "get_weather"}])
async def test_required_tools_are_called_by_a_model_that_knows_none(claude, choice):
    asked = {"model": NAME, "messages": QUESTION, "tools": TOOLS, "tool_choice": choice, "max_tokens": 200}
    message = await claude.messages.create(**asked)
    async with claude.messages.stream(**asked) as stream:
        streamed = await stream.get_final_message()
    for answer in (message, streamed):
        assert answer.stop_reason == "tool_use"
        (call,) = [block for block in answer.content if block.type == "tool_use"]
        if choice["type"] == "tool":
            assert call.name == "get_weather"
        if call.name == "get_weather":
            assert isinstance(call.input["city"], str)
            assert isinstance(call.input["days"], int)
        else:
            assert (call.name, call.input) == ("stop", {})
        # The result goes back as the client's own helpers send it.
        result = {"type": "tool_result", "tool_use_id": call.id, "content": "Sunny, 21 degrees."}
        back = [*QUESTION, {"role": "assistant", "content": answer.content}, {"role": "user", "content": [result]}]
        told = await claude.messages.create(model=NAME, messages=back, tools=TOOLS, max_tokens=8)
        assert told.usage.output_tokens > 0


async def test_what_it_cannot_do_is_refused_by_the_clients_own_errors(claude):
    with pytest.raises(anthropic.NotFoundError) as missing:
        await claude.messages.create(model="nobody", messages=QUESTION, max_tokens=4)
    assert missing.value.body["error"]["type"] == "not_found_error"
    with pytest.raises(anthropic.BadRequestError) as long:
        await claude.messages.create(model=NAME, messages=[{"role": "user", "content": "word " * 30_000}], max_tokens=4)
    assert long.value.body["error"]["type"] == "invalid_request_error"
    assert "8192" in str(long.value)
    for wrong in ({"max_tokens": 0}, {"max_tokens": 4, "extra_body": {"temperature": "hot"}}):
        with pytest.raises(anthropic.BadRequestError):
            await claude.messages.create(model=NAME, messages=QUESTION, **wrong)
    with pytest.raises(anthropic.BadRequestError):
        await claude.messages.create(
            model=NAME, messages=QUESTION, max_tokens=4, tools=TOOLS, tool_choice={"type": "tool", "name": "nobody"}
        )


async def test_a_client_that_leaves_frees_the_models_place(claude):
    async def leave_stream():
        async with claude.messages.stream(model=NAME, messages=STORY, max_tokens=2000) as stream:
            async for _text in stream.text_stream:
                break

    async def leave_plain():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await claude.messages.create(model=NAME, messages=STORY, max_tokens=2000)

    await asyncio.gather(*(leave_stream() for _ in range(3)), *(leave_plain() for _ in range(3)))
    worker = claude.playground.pool._slots[NAME].worker
    async with asyncio.timeout(5):
        while (status := await worker.status()).running or status.queued:
            await asyncio.sleep(0.02)
    before = (await worker.status()).decoded_tokens
    await asyncio.sleep(0.3)
    assert (await worker.status()).decoded_tokens == before

"""The tests' own provider satisfies the real clients, so what our backends read from it is what they will meet."""

from __future__ import annotations

import anthropic
import ollama
import openai
import pytest

from .provider import Answer, Call, provider

WHOLE = Answer(
    text=("Hel", "lo"),
    thinking=("hm", "m"),
    signature="sig",
    calls=(Call("c1", "f", ('{"a"', ": 1}")), Call("c2", "g", ("{}",))),
    finish="tool_calls",
)


async def test_the_openai_client_reads_it() -> None:
    async with provider(WHOLE, key="k") as there:
        client = openai.AsyncOpenAI(base_url=there.url("openai"), api_key="k", max_retries=0)
        chat = await client.chat.completions.create(model="m", messages=[{"role": "user", "content": "?"}])
        assert chat.choices[0].message.content == "Hello"
        assert [call.function.arguments for call in chat.choices[0].message.tool_calls] == ['{"a": 1}', "{}"]
        async with client.responses.stream(model="m", input="?") as stream:
            response = await stream.get_final_response()
        assert response.output_text == "Hello"
        assert [item.type for item in response.output] == ["reasoning", "message", "function_call", "function_call"]
        async with client.chat.completions.stream(model="m", messages=[{"role": "user", "content": "?"}]) as stream:
            final = await stream.get_final_completion()
        assert final.choices[0].message.tool_calls[0].function.arguments == '{"a": 1}'
        assert [model.id async for model in client.models.list()] == ["m1", "m2"]
        with pytest.raises(openai.AuthenticationError):
            await openai.AsyncOpenAI(base_url=there.url("openai"), api_key="x").models.list()


async def test_the_anthropic_client_reads_it() -> None:
    async with provider(WHOLE) as there:
        client = anthropic.AsyncAnthropic(base_url=there.base, api_key="k", max_retries=0)
        asked = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "?"}]}
        async with client.messages.stream(**asked) as stream:
            message = await stream.get_final_message()
        assert [block.type for block in message.content] == ["thinking", "text", "tool_use", "tool_use"]
        assert message.content[0].signature == "sig"
        assert message.content[2].input == {"a": 1}
        assert message.model_dump()["content"] == (await client.messages.create(**asked)).model_dump()["content"]
        assert [model.id async for model in client.models.list()] == ["m1", "m2"]


async def test_the_ollama_client_reads_it() -> None:
    async with provider(WHOLE) as there:
        client = ollama.AsyncClient(there.url("ollama"))
        asked = {"model": "m", "messages": [{"role": "user", "content": "?"}]}
        lines = [line async for line in await client.chat(**asked, stream=True)]
        assert "".join(line.message.content for line in lines) == "Hello"
        assert [call.function.name for line in lines for call in line.message.tool_calls or ()] == ["f", "g"]
        assert (await client.chat(**asked)).message.thinking == "hmm"
        assert [model.model for model in (await client.list()).models] == ["m1", "m2"]


async def test_it_refuses_limits_and_dies_as_told() -> None:
    plan = [
        Answer(status=429, error="slow down", headers={"retry-after": "3"}),
        Answer(dies_after=3),
        Answer(fails_after=3, error="overloaded"),
    ]
    async with provider(plan) as there:
        client = openai.AsyncOpenAI(base_url=there.url("openai"), api_key="k", max_retries=0)
        asked = {"model": "m", "messages": [{"role": "user", "content": "?"}], "stream": True}
        with pytest.raises(openai.RateLimitError) as raised:
            await client.chat.completions.create(**asked)
        assert raised.value.response.headers["retry-after"] == "3"
        with pytest.raises(openai.APIConnectionError):
            async for _ in await client.chat.completions.create(**asked):
                pass
        with pytest.raises(openai.APIError, match="overloaded"):
            async for _ in await client.chat.completions.create(**asked):
                pass
        assert [request.body["model"] for request in there.chats] == ["m"] * 3

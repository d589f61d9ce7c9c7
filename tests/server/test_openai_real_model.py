"""The unmodified ``openai`` client on the real starter model."""

import asyncio
import json

from tests.starter import NAME

QUESTION = [{"role": "user", "content": "What is the capital of France? One word."}]


async def test_the_client_drives_a_real_model(real_client):
    whole = await real_client.chat.completions.create(
        model=NAME, messages=QUESTION, temperature=0, max_tokens=24, logprobs=True, top_logprobs=2
    )
    stream = await real_client.chat.completions.create(
        model=NAME, messages=QUESTION, temperature=0, max_tokens=24, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)

    assert "Paris" in text
    assert text == whole.choices[0].message.content
    assert chunks[-1].usage.completion_tokens == whole.usage.completion_tokens
    assert "".join(token.token for token in whole.choices[0].logprobs.content).startswith(text[:5])
    assert [model.id async for model in await real_client.models.list()] == [NAME]


async def test_a_schema_holds_the_real_model(real_client):
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string", "maxLength": 20}, "big": {"type": "boolean"}},
        "required": ["city", "big"],
        "additionalProperties": False,
    }
    form = {"type": "json_schema", "json_schema": {"name": "city", "schema": schema, "strict": True}}
    answer = await real_client.chat.completions.create(
        model=NAME, messages=QUESTION, response_format=form, max_tokens=80, seed=5
    )
    assert set(json.loads(answer.choices[0].message.content)) == {"city", "big"}


async def test_a_client_that_leaves_frees_the_models_place(real_client):
    story = [{"role": "user", "content": "Tell me a very long story."}]

    async def leave_stream():
        stream = await real_client.chat.completions.create(model=NAME, messages=story, stream=True, max_tokens=2000)
        async for chunk in stream:
            if chunk.choices and chunk.choices[0].delta.content:
                break
        await stream.close()

    async def leave_plain():
        try:
            async with asyncio.timeout(1):
                await real_client.chat.completions.create(model=NAME, messages=story, max_tokens=2000)
        except TimeoutError:
            return

    await asyncio.gather(*(leave_stream() for _ in range(3)), *(leave_plain() for _ in range(3)))
    worker = real_client.playground.pool._slots[NAME].worker
    async with asyncio.timeout(5):
        while (status := await worker.status()).running or status.queued:
            await asyncio.sleep(0.02)
    before = (await worker.status()).decoded_tokens
    await asyncio.sleep(0.3)
    assert (await worker.status()).decoded_tokens == before

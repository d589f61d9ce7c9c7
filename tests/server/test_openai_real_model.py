"""The unmodified ``openai`` client on the real starter model."""

import asyncio
import json

import openai
import pytest

from tests.starter import NAME

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUESTION = [{"role": "user", "content": "What is the capital of France? One word."}]


async def test_the_client_drives_a_real_model(lasting_client):
    whole = await lasting_client.chat.completions.create(
        model=NAME, messages=QUESTION, temperature=0, max_tokens=24, logprobs=True, top_logprobs=2
    )
    stream = await lasting_client.chat.completions.create(
        model=NAME, messages=QUESTION, temperature=0, max_tokens=24, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)

    assert "Paris" in text
    assert text == whole.choices[0].message.content
    assert chunks[-1].usage.completion_tokens == whole.usage.completion_tokens
    assert "".join(token.token for token in whole.choices[0].logprobs.content).startswith(text[:5])
    assert [model.id async for model in await lasting_client.models.list()] == [NAME]


async def test_a_schema_holds_the_real_model(lasting_client):
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string", "maxLength": 20}, "big": {"type": "boolean"}},
        "required": ["city", "big"],
        "additionalProperties": False,
    }
    form = {"type": "json_schema", "json_schema": {"name": "city", "schema": schema, "strict": True}}
    answer = await lasting_client.chat.completions.create(
        model=NAME, messages=QUESTION, response_format=form, max_tokens=80, seed=5
    )
    assert set(json.loads(answer.choices[0].message.content)) == {"city", "big"}


async def test_a_client_that_leaves_frees_the_models_place(lasting_client):
    story = [{"role": "user", "content": "Tell me a very long story."}]

    async def leave_stream():
        stream = await lasting_client.chat.completions.create(model=NAME, messages=story, stream=True, max_tokens=2000)
        async for chunk in stream:
            if chunk.choices and chunk.choices[0].delta.content:
                break
        await stream.close()

    async def leave_plain():
        try:
            async with asyncio.timeout(1):
                await lasting_client.chat.completions.create(model=NAME, messages=story, max_tokens=2000)
        except TimeoutError:
            return

    await asyncio.gather(*(leave_stream() for _ in range(3)), *(leave_plain() for _ in range(3)))
    worker = lasting_client.playground.pool._slots[NAME].worker
    async with asyncio.timeout(5):
        while (status := await worker.status()).running or status.queued:
            await asyncio.sleep(0.02)
    before = (await worker.status()).decoded_tokens
    await asyncio.sleep(0.3)
    assert (await worker.status()).decoded_tokens == before


async def test_the_choices_of_a_request_hold_on_the_real_model(lasting_client):
    async def text(**more):
        answer = await lasting_client.chat.completions.create(
            **{"model": NAME, "messages": QUESTION, "max_tokens": 12, "temperature": 1.0, **more}
        )
        return answer.choices[0].message.content, answer.choices[0].finish_reason

    assert await text(seed=3) == await text(seed=3)
    plain, reason = await text(temperature=0, max_tokens=3)
    assert reason == "length"
    stopped, reason = await text(temperature=0, stop=[plain.strip()[-3:]])
    assert reason == "stop"
    assert plain.strip()[-3:] not in stopped
    token = await lasting_client.chat.completions.create(
        model=NAME, messages=QUESTION, max_tokens=1, temperature=0, logprobs=True, top_logprobs=5
    )
    assert len(token.choices[0].logprobs.content[0].top_logprobs) == 5
    several = await lasting_client.chat.completions.create(model=NAME, messages=QUESTION, max_tokens=8, n=3, seed=1)
    assert len({choice.message.content for choice in several.choices}) > 1


async def test_raw_text_and_tokens_are_continued(lasting_client):
    prompt = "1, 2, 3, 4, 5, 6, 7,"
    answer = await lasting_client.completions.create(model=NAME, prompt=prompt, temperature=0, max_tokens=4)
    assert answer.choices[0].text.startswith(" 8")
    tokens = await lasting_client.completions.create(model=NAME, prompt=[33, 28, 32], temperature=0, max_tokens=2)
    assert tokens.usage.prompt_tokens == 3
    with pytest.raises(openai.BadRequestError):
        await lasting_client.completions.create(model=NAME, prompt=[2**30])
    with pytest.raises(openai.BadRequestError):
        await lasting_client.completions.create(model=NAME, prompt="a", logit_bias={"999999999": 1})


async def test_what_the_real_model_cannot_do_is_refused(lasting_client):
    with pytest.raises(openai.BadRequestError) as caught:
        await lasting_client.chat.completions.create(
            model=NAME, messages=[{"role": "user", "content": "word " * 30_000}]
        )
    assert caught.value.body["code"] == "context_length_exceeded"
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}
    with pytest.raises(openai.BadRequestError):
        await lasting_client.chat.completions.create(model=NAME, messages=[{"role": "user", "content": [image]}])
    with pytest.raises(openai.NotFoundError) as missing:
        await lasting_client.chat.completions.create(model="qwen2.5-0.5b-instruct", messages=QUESTION)
    assert missing.value.body["code"] == "model_not_found"
    response = await lasting_client.responses.create(model=NAME, input="Say hello.", max_output_tokens=8, temperature=0)
    assert response.output_text

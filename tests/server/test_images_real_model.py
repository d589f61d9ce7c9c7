"""A model that cannot see says so, in each protocol's own words: a picture is never dropped in silence."""

import base64

import anthropic
import httpx
import ollama
import openai
import pytest

from tests.starter import NAME

PNG = base64.b64encode(
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"
).decode()
TEXT = {"type": "text", "text": "What is on it?"}


async def test_a_picture_is_refused_in_every_protocol(real_client):
    address = str(real_client.base_url).removesuffix("/v1/")

    for stream in (False, True):
        for url in (f"data:image/png;base64,{PNG}", "https://example.org/a.png"):
            seen = [TEXT, {"type": "image_url", "image_url": {"url": url}}]
            with pytest.raises(openai.BadRequestError) as refused:
                await real_client.chat.completions.create(
                    model=NAME, messages=[{"role": "user", "content": seen}], stream=stream
                )
            assert refused.value.body["type"] == "invalid_request_error"
            assert "image" in refused.value.body["message"]
            pictured = [{"type": "input_text", "text": "What?"}, {"type": "input_image", "image_url": url}]
            with pytest.raises(openai.BadRequestError):
                await real_client.responses.create(
                    model=NAME, input=[{"role": "user", "content": pictured}], stream=stream
                )

        async with anthropic.AsyncAnthropic(base_url=address, api_key="none", max_retries=0) as claude:
            for source in (
                {"type": "base64", "media_type": "image/png", "data": PNG},
                {"type": "url", "url": "https://example.org/a.png"},
            ):
                messages = [{"role": "user", "content": [{"type": "image", "source": source}, TEXT]}]
                with pytest.raises(anthropic.BadRequestError) as unseen:
                    await claude.messages.create(model=NAME, messages=messages, max_tokens=4, stream=stream)
                assert unseen.value.body["error"]["type"] == "invalid_request_error"
                assert "image" in unseen.value.body["error"]["message"]
                with pytest.raises(anthropic.BadRequestError):
                    await claude.messages.count_tokens(model=NAME, messages=messages)

        local = ollama.AsyncClient(host=address)

        async def told(call, stream=stream):
            answer = await call
            return [part async for part in answer] if stream else answer

        with pytest.raises(ollama.ResponseError) as blind:
            await told(
                local.chat(model=NAME, messages=[{"role": "user", "content": "What?", "images": [PNG]}], stream=stream)
            )
        assert blind.value.status_code == 400
        assert "image" in blind.value.error
        with pytest.raises(ollama.ResponseError):
            await told(local.generate(model=NAME, prompt="What?", images=[PNG], stream=stream))

    async with httpx.AsyncClient(base_url=address) as curl:
        for path, body in (
            ("/completion", {"prompt": "What?", "image_data": [{"id": 1, "data": PNG}]}),
            ("/completion", {"prompt": {"prompt_string": "<__media__>", "multimodal_data": [PNG]}}),
            ("/apply-template", {"messages": [{"role": "user", "content": seen}]}),
            ("/chat/completions", {"model": NAME, "messages": [{"role": "user", "content": seen}]}),
        ):
            answer = await curl.post(path, json=body)
            assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request_error")

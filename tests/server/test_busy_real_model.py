"""A real engine whose places are all taken."""

import asyncio
import json

import anthropic
import httpx
import openai
import pytest
import websockets

from app.playground import Playground
from app.server.services import Services
from tests.starter import NAME

from .scripted import served


async def test_a_full_queue_answers_503_and_the_places_come_back(home_with_starter, environ):
    playground = Playground.open({**environ, "PLAYGROUND_ENGINE__SEQUENCES": "1", "PLAYGROUND_ENGINE__QUEUE": "1"})
    story = [{"role": "user", "content": "Tell me a very long story."}]
    try:
        async with (
            served(Services.of(playground)) as address,
            openai.AsyncOpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0, timeout=60) as client,
        ):
            first = await client.chat.completions.create(model=NAME, messages=story, stream=True, max_tokens=1500)
            await anext(aiter(first))
            others = [
                asyncio.ensure_future(
                    client.chat.completions.create(model=NAME, messages=story, stream=stream, max_tokens=4)
                )
                for stream in (False, True, False, True)
            ]
            async with asyncio.timeout(20):
                while sum(other.done() for other in others) < 3:
                    await asyncio.sleep(0.01)
            refusals = [other.exception() for other in others if other.done()]
            assert [error.status_code for error in refusals] == [503, 503, 503]
            assert all(int(error.response.headers["retry-after"]) >= 1 for error in refusals)
            await first.close()
            # The one that waited is answered as soon as the place is free.
            await asyncio.wait(others, timeout=20)
            assert sum(other.exception() is None for other in others) == 1
    finally:
        await playground.aclose()


async def test_a_full_server_says_so_in_every_protocol(home_with_starter, environ):
    """Nobody waits here: one answer at a time, and a queue of nobody."""
    playground = Playground.open({**environ, "PLAYGROUND_ENGINE__SEQUENCES": "1", "PLAYGROUND_ENGINE__QUEUE": "0"})
    story = [{"role": "user", "content": "Tell me a very long story."}]
    try:
        async with (
            served(Services.of(playground)) as address,
            openai.AsyncOpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0, timeout=60) as client,
            anthropic.AsyncAnthropic(base_url=address, api_key="none", max_retries=0, timeout=60) as claude,
            httpx.AsyncClient(base_url=address, timeout=60) as curl,
        ):
            # A free place is given, queue or none.
            first = await client.chat.completions.create(model=NAME, messages=story, stream=True, max_tokens=1500)
            await anext(aiter(first))
            for stream in (False, True):
                with pytest.raises(openai.InternalServerError) as full:
                    await client.chat.completions.create(model=NAME, messages=story, stream=stream)
                assert (full.value.status_code, full.value.body["code"]) == (503, "server_busy")
                with pytest.raises(anthropic.OverloadedError) as overloaded:
                    await claude.messages.create(model=NAME, messages=story, stream=stream, max_tokens=4)
                assert overloaded.value.body["error"]["type"] == "overloaded_error"
                for error in (full.value, overloaded.value):
                    assert int(error.response.headers["retry-after"]) >= 1
                for path, body in (
                    ("/api/chat", {"model": NAME, "messages": story}),
                    ("/api/generate", {"model": NAME, "prompt": "a"}),
                    ("/v1/completions", {"model": NAME, "prompt": "a"}),
                    ("/v1/responses", {"model": NAME, "input": "a"}),
                    ("/completion", {"prompt": "a"}),
                    ("/generate", {"prompt": "a"}),
                ):
                    answer = await curl.post(path, json={**body, "stream": stream})
                    assert (answer.status_code, path) == (503, path)
                    assert int(answer.headers["retry-after"]) >= 1
                    assert "1 requests" in answer.text
            async with websockets.connect(f"{address.replace('http', 'ws')}/v1/chat/ws") as socket:
                await socket.send(json.dumps({"type": "chat", "id": "a", "model": NAME, "messages": story}))
                async with asyncio.timeout(10):
                    while (said := json.loads(await socket.recv()))["type"] != "error":
                        pass
                assert "1 requests" in json.dumps(said)
            await first.close()
            # Whoever hears that a client has left finds its place free.
            async with asyncio.timeout(10):
                while playground.pool.loaded()[0].requests:
                    await asyncio.sleep(0.01)
            answer = await claude.messages.create(model=NAME, messages=story, max_tokens=4)
            assert answer.usage.output_tokens == 4
    finally:
        await playground.aclose()

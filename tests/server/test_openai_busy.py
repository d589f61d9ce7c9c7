"""A real engine whose places are all taken."""

import asyncio

import openai

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

"""Whoever leaves stops the work: the tokens that the real model still chooses afterwards are counted."""

import asyncio
import json
from contextlib import asynccontextmanager, suppress

import httpx
import pytest
import websockets

from tests.starter import NAME

STORY = [{"role": "user", "content": "Tell me a very long story."}]
CHAT = {"model": NAME, "messages": STORY, "max_tokens": 2000}
MOST_STEPS = 3
"""The one that is being computed, one that begins while the news is on its way, and one for a busy machine."""

ROUTES = [
    ("/v1/chat/completions", CHAT),
    ("/v1/completions", {"model": NAME, "prompt": "Once upon a time", "max_tokens": 2000}),
    ("/v1/responses", {"model": NAME, "input": "Tell me a very long story.", "max_output_tokens": 2000}),
    ("/v1/messages", CHAT),
    ("/api/chat", {"model": NAME, "messages": STORY}),
    ("/completion", {"prompt": "Once upon a time", "n_predict": 2000}),
    ("/generate", {"model": NAME, "prompt": "Tell me a very long story."}),
]


class Watched:
    """The server on the real model, and how much the model has done."""

    def __init__(self, address, pool):
        self.address, self._pool = address, pool

    async def status(self):
        return await self._pool._slots[NAME].worker.status()

    async def answers(self, more=4):
        """Returns when the model has chosen some more tokens; gives how many it has chosen in all."""
        begun = (await self.status()).decoded_tokens if NAME in self._pool._slots else 0
        async with asyncio.timeout(30):
            while True:
                if NAME in self._pool._slots and self._pool._slots[NAME].ready:
                    now = (await self.status()).decoded_tokens
                    if now >= begun + more:
                        return now
                await asyncio.sleep(0.005)

    async def stops(self, before):
        """Makes sure that no more than a step or two follow, and that the place is free."""
        async with asyncio.timeout(5):
            while (status := await self.status()).running or status.queued:
                await asyncio.sleep(0.002)
        assert status.decoded_tokens - before <= MOST_STEPS
        await asyncio.sleep(0.1)
        assert (await self.status()).decoded_tokens == status.decoded_tokens


@pytest.fixture
async def watched(real_client):
    return Watched(str(real_client.base_url).removesuffix("/v1/"), real_client.playground.pool)


@asynccontextmanager
async def connection(watched):
    async with httpx.AsyncClient(base_url=watched.address, timeout=60) as client:
        yield client


async def test_a_stream_that_is_left_stops(watched):
    for path, body in ROUTES:
        async with connection(watched) as client:
            async with client.stream("POST", path, json={**body, "stream": True}) as answer:
                assert answer.status_code == 200
                pieces = answer.aiter_bytes()  # kept: one that is dropped closes the answer
                await anext(pieces)
                before = await watched.answers()
            await watched.stops(before)


async def test_a_plain_answer_that_nobody_waits_for_stops(watched):
    for path, body in ROUTES:
        async with connection(watched) as client:
            asking = asyncio.ensure_future(client.post(path, json={**body, "stream": False}))
            before = await watched.answers()
            asking.cancel()
            with suppress(asyncio.CancelledError):
                await asking
            await watched.stops(before)


async def test_several_choices_stop_together(watched):
    async with connection(watched) as client:
        async with client.stream("POST", "/v1/chat/completions", json={**CHAT, "n": 4, "stream": True}) as answer:
            pieces = answer.aiter_bytes()
            await anext(pieces)
            before = await watched.answers(16)
        async with asyncio.timeout(5):
            while (status := await watched.status()).running or status.queued:
                await asyncio.sleep(0.002)
        assert status.decoded_tokens - before <= 4 * MOST_STEPS


@pytest.mark.parametrize("how", ["close", "abort", "cancel"])
async def test_a_socket_that_is_left_stops(watched, how):
    address = f"{watched.address.replace('http', 'ws')}/v1/chat/ws"
    async with websockets.connect(address) as socket:
        await socket.send(json.dumps({"type": "chat", "id": "a", "model": NAME, "messages": STORY}))
        while json.loads(await socket.recv())["type"] != "words":
            pass
        before = await watched.answers()
        if how == "abort":
            socket.transport.abort()
        elif how == "cancel":
            await socket.send(json.dumps({"type": "cancel"}))
        else:
            await socket.close()
        await watched.stops(before)

"""Several answers to one request: OpenAI's ``n``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

import msgspec

from app.messages import ChatRequest, Delta
from app.server.collect import Whole, collect
from app.server.metering.answers import Metered

_AHEAD = 64
"""Deltas that may wait for a slow client; then the answers wait, and the engine joins what comes."""


def seeded(request: ChatRequest, count: int) -> list[ChatRequest]:
    """``count`` requests, each with a seed of its own where there is one: the same seed would give the same answer.

    Without one they are told apart for the cache: an answer that is remembered is given once.
    """
    seed = request.sampling.seed
    if count == 1 or seed is None:
        return [request, *[msgspec.structs.replace(request, fresh=True)] * (count - 1)]
    return [
        msgspec.structs.replace(
            request, sampling=msgspec.structs.replace(request.sampling, seed=(seed + place) % 2**32)
        )
        for place in range(count)
    ]


async def gathered(router: Metered, requests: Sequence[ChatRequest]) -> list[Whole]:
    """All answers, whole, in their order. When one fails, or this is cancelled, none goes on.

    Raises:
        PlaygroundError: of the first that failed.
    """
    if len(requests) == 1:
        return [await collect(router.stream(requests[0]))]
    tasks = [asyncio.ensure_future(collect(router.stream(request))) for request in requests]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def merged(router: Metered, requests: Sequence[ChatRequest]) -> AsyncGenerator[tuple[int, Delta], None]:
    """The deltas of all answers as they come, each with its answer's place. Closing it ends them all.

    Raises:
        PlaygroundError: of the first that failed.
    """
    if len(requests) == 1:
        async with aclosing(router.stream(requests[0])) as deltas:
            async for delta in deltas:
                yield 0, delta
        return
    queue: asyncio.Queue[tuple[int, Delta | None]] = asyncio.Queue(_AHEAD)

    async def read(place: int, request: ChatRequest) -> None:
        try:
            async with aclosing(router.stream(request)) as deltas:
                async for delta in deltas:
                    await queue.put((place, delta))
        finally:
            await queue.put((place, None))

    tasks = [asyncio.ensure_future(read(place, request)) for place, request in enumerate(requests)]
    try:
        running = len(tasks)
        while running:
            place, said = await queue.get()
            if said is not None:
                yield place, said
                continue
            running -= 1
            await tasks[place]
    finally:
        for task in tasks:
            task.cancel()
        while not queue.empty():
            queue.get_nowait()
        await asyncio.gather(*tasks, return_exceptions=True)

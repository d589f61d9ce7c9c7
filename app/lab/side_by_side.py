"""One question to several models, their answers side by side."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Protocol

from app.errors import PlaygroundError
from app.messages import ChatRequest, Delta

from .lane import Lane


class Asked(Protocol):
    """The router, as far as it is needed here."""

    def stream(self, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        """See ``Router.stream``."""
        ...

    def is_remote(self, name: str) -> bool:
        """See ``Router.is_remote``."""
        ...


async def side_by_side(
    router: Asked, asked: Sequence[tuple[Lane, ChatRequest]], *, in_turn: bool = True
) -> AsyncGenerator[Lane, None]:
    """Asks all of them; gives a lane each time that something of it has changed, until all are over.

    Remote models answer at once. Those of this machine share its processor, so with ``in_turn`` they answer one after
    another: each as fast as it is, not as fast as the others leave it. Closing this ends every answer. An error ends
    its own lane only.

    Args:
        router: answers.
        asked: each lane with its request.
        in_turn: whether models of this machine wait for each other.
    """
    changed: dict[Lane, None] = {}
    something = asyncio.Event()
    here = asyncio.Semaphore(1 if in_turn else max(1, len(asked)))

    def tell(lane: Lane) -> None:
        changed[lane] = None
        something.set()

    async def answer(lane: Lane, request: ChatRequest) -> None:
        if router.is_remote(request.model):
            await _answer(router, lane, request, tell)
            return
        async with here:
            await _answer(router, lane, request, tell)

    async def all_of_them() -> None:
        async with asyncio.TaskGroup() as group:
            for lane, request in asked:
                group.create_task(answer(lane, request))

    working = asyncio.create_task(all_of_them())
    working.add_done_callback(lambda _: something.set())
    try:
        while changed or not working.done():
            await something.wait()
            something.clear()
            told = tuple(changed)
            changed.clear()
            for lane in told:
                yield lane
        await working
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


async def _answer(router: Asked, lane: Lane, request: ChatRequest, tell: Callable[[Lane], None]) -> None:
    lane.began()
    try:
        async with aclosing(router.stream(request)) as deltas:
            async for delta in deltas:
                lane.saw(delta)
                tell(lane)
    except PlaygroundError as error:
        lane.failed(error)
        tell(lane)

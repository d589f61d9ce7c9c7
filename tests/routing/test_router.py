"""The router gives a request to the backend that knows its model, and passes on what comes, to the end of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from app.errors import EngineError, UnknownModelError
from app.messages import ChatRequest, Delta, Finished, Message, Started, TextDelta
from app.routing.router import Router


class Scripted:
    """A backend that says its own name for ever, or fails."""

    def __init__(self, name: str, *models: str, fails: bool = False) -> None:
        self.name = name
        self._models, self._fails = models, fails
        self.stopped = 0
        self.closed = 0

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        try:
            yield Started(request.model, self.name)
            yield TextDelta(self.name)
            if self._fails:
                raise EngineError("It broke.")
            if request.messages[0].text == "for ever":
                await asyncio.sleep(3600)
            yield Finished("stop")
        finally:
            self.stopped += 1

    async def models(self) -> tuple[str, ...]:
        return self._models

    async def aclose(self) -> None:
        self.closed += 1


def ask(model: str, text: str = "hello") -> ChatRequest:
    return ChatRequest(model=model, messages=(Message.user(text),))


async def test_an_earlier_backend_hides_a_later_ones_model_of_the_same_name() -> None:
    router = Router([Scripted("one", "a", "b"), Scripted("two", "b", "c")])
    assert await router.models() == ("a", "b", "c")
    for model, backend in {"a": "one", "b": "one", "c": "two"}.items():
        deltas = [delta async for delta in router.stream(ask(model))]
        assert deltas == [Started(model, backend), TextDelta(backend), Finished("stop")]


async def test_an_unknown_model_is_an_error_that_names_the_known_ones() -> None:
    for router, known in ((Router([Scripted("one", "a")]), "a"), (Router([]), "none")):
        with pytest.raises(UnknownModelError, match=f"Known models: {known}"):
            _ = [delta async for delta in router.stream(ask("x"))]


async def test_an_error_comes_after_what_was_said_before_it() -> None:
    backend = Scripted("one", "a", fails=True)
    said: list[Delta] = []
    with pytest.raises(EngineError, match="It broke"):
        async for delta in Router([backend]).stream(ask("a")):
            said.append(delta)
    assert said[-1] == TextDelta("one")
    assert backend.stopped == 1


async def test_closing_and_cancelling_reach_the_backend_at_once() -> None:
    backend = Scripted("one", "a")
    router = Router([backend])
    async with aclosing(router.stream(ask("a", "for ever"))) as deltas:
        await anext(deltas)
    assert backend.stopped == 1

    async def read() -> None:
        async for _ in router.stream(ask("a", "for ever")):
            pass

    task = asyncio.create_task(read())
    await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert backend.stopped == 2


async def test_closing_closes_every_backend() -> None:
    backends = [Scripted("one"), Scripted("two")]
    await Router(backends).aclose()
    assert [backend.closed for backend in backends] == [1, 1]

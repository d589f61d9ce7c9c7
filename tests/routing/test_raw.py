"""Requests that pass through: the same tries, the same failover, and nothing counted too long."""

from __future__ import annotations

import asyncio

import pytest

from app.backends.raw import RawRequest
from app.errors import (
    LocalOnlyError,
    RemoteRefusedError,
    RemoteTimeoutError,
    RemoteUnreachableError,
    StreamBrokenError,
)

from .scripted import World, ask, endpoint, read
from .virtual import run_virtual

DOWN = RemoteUnreachableError("cloud cannot be reached.")
CHAIN = (
    endpoint("cloud", total_s=30.0)
    + endpoint("other")
    + '[remote.gpt]\nendpoint = "cloud"\nmodel = "gpt-4"\nfallback = ["next", "small"]\n'
    + '[remote.next]\nendpoint = "other"\n'
)


def wanted(model: str = "gpt", protocol: str = "openai-chat") -> RawRequest:
    return RawRequest(protocol=protocol, model=model, body={"model": model})


async def body(answer) -> bytes:
    return b"".join([piece async for piece in answer.pieces])


def test_it_says_who_answered_and_counts_until_the_last_piece():
    async def scene():
        world = World(CHAIN)
        answer = await world.router.raw(wanted())
        assert (answer.model, answer.backend, answer.instead_of) == ("gpt", "cloud", "")
        assert world.ends["cloud"].asked == ["gpt-4"]
        assert world.remotes.in_flight()["cloud"] == 1
        assert await body(answer) == b"Hello there."
        assert world.idle()

    run_virtual(scene())


def test_nobody_who_speaks_it_is_none():
    async def scene():
        world = World(CHAIN)
        for request in (wanted("small"), wanted("unknown"), wanted(protocol="anthropic")):
            assert await world.router.raw(request) is None
        off = World(endpoint("cloud", passthrough=False) + '[remote.gpt]\nendpoint = "cloud"\n')
        assert await off.router.raw(wanted()) is None
        assert world.idle()

    run_virtual(scene())


def test_tries_again_and_fails_over_before_the_first_piece():
    async def scene():
        world = World(CHAIN, cloud=lambda number, request: [DOWN] if number == 1 else ["ok"])
        answer = await world.router.raw(wanted())
        assert await body(answer) == b"ok" and answer.instead_of == ""

        world = World(CHAIN, cloud=lambda number, request: [DOWN])
        answer = await world.router.raw(wanted())
        assert (answer.model, answer.backend, answer.instead_of) == ("next", "other", "gpt")
        assert answer.reason == DOWN.message
        await answer.pieces.aclose()
        assert world.idle()

        refusal = RemoteRefusedError("Wrong.", status=400)
        world = World(CHAIN, cloud=lambda number, request: [refusal])
        with pytest.raises(RemoteRefusedError):
            await world.router.raw(wanted())
        assert world.idle()

        world = World(CHAIN, cloud=lambda number, request: [DOWN], other=lambda number, request: [DOWN])
        assert await world.router.raw(wanted()) is None, "the local model is next: it must be translated"
        found, error = await read(world.router.stream(ask("gpt")))
        assert error is None and found[-2].text == "I am here."

    run_virtual(scene())


def test_a_break_keeps_what_came_and_gives_the_place_back():
    async def scene():
        for fault in (RemoteTimeoutError("Late."), StreamBrokenError("Cut."), 1e9):
            world = World(CHAIN, cloud=["one", "two", fault])
            answer = await world.router.raw(wanted())
            pieces = []
            with pytest.raises(StreamBrokenError):
                async for piece in answer.pieces:
                    pieces.append(piece)
            assert pieces == [b"one", b"two"]
            assert world.idle()

    run_virtual(scene())


def test_leaving_at_any_moment_gives_the_place_back():
    async def scene():
        world = World(CHAIN, cloud=[1.0, "one", 1.0, "two"])
        asking = asyncio.create_task(world.router.raw(wanted()))
        await asyncio.sleep(0.5)
        assert world.remotes.in_flight()["cloud"] == 1
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        assert world.idle()

        unread = await world.router.raw(wanted())
        await unread.pieces.aclose()
        await unread.pieces.aclose()
        assert world.idle()

        answer = await world.router.raw(wanted())
        assert await anext(answer.pieces) == b"one"
        reading = asyncio.create_task(body(answer))
        await asyncio.sleep(0.5)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        assert world.idle()

    run_virtual(scene())


def test_local_only_holds_here_too():
    async def scene():
        alone = World(endpoint("cloud") + '[remote.gpt]\nendpoint = "cloud"\n', local_only=True)
        with pytest.raises(LocalOnlyError):
            await alone.router.raw(wanted())
        world = World(endpoint("cloud") + '[remote.gpt]\nendpoint = "cloud"\nfallback = ["small"]\n', local_only=True)
        assert await world.router.raw(wanted()) is None
        assert alone.connected == world.connected == []

    run_virtual(scene())

"""What the server does, for whoever watches it from inside."""

from __future__ import annotations

import asyncio
from typing import Any

from app.messages import Usage
from app.server.activity import KEPT, Activity
from app.server.auth.principal import Principal
from app.server.observing.exchange import Exchange
from app.server.observing.measures import Measures


def scope(path: str = "/v1/models", **state: Any) -> dict[str, Any]:
    return {"type": "http", "method": "GET", "path": path, "state": state}


async def nobody(*_: Any) -> Any:
    """Neither receives nor sends."""


def exchange() -> Exchange:
    return Exchange(Measures(lambda: ()), "req_1")


async def test_a_request_is_seen_while_it_runs_and_after() -> None:
    activity = Activity(clock=lambda: 1000.0)
    held, noted = asyncio.Event(), exchange()

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        scope["state"]["exchange"] = noted
        scope["state"]["principal"] = Principal("key", "k1", "notes", "user", ("chat",))
        noted.asked("smollm2-135m")
        noted.pieces = 3
        noted.status = 200
        await held.wait()
        noted.answered("smollm2-135m", "local", Usage(5, 21), 0.5, "finished")

    running = asyncio.ensure_future(activity.around(app)(scope("/v1/chat/completions"), nobody, nobody))
    await asyncio.sleep(0)
    (seen,) = activity.visits()
    assert (seen.running, seen.model, seen.who, seen.tokens, seen.at) == (True, "smollm2-135m", "notes", 3, 1000.0)
    assert activity.busy
    changes = activity.changes
    held.set()
    await running
    (seen,) = activity.visits()
    assert (seen.running, seen.status, seen.tokens, seen.speed) == (False, 200, 21, 40.0)
    assert activity.changes > changes
    assert activity.totals().requests == 1
    assert activity.totals().tokens == 21
    assert not activity.busy


async def test_those_under_way_stand_before_those_that_are_over_newest_first() -> None:
    activity, held = Activity(), asyncio.Event()

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        if scope["path"] == "/slow":
            await held.wait()

    around = activity.around(app)
    slow = asyncio.ensure_future(around(scope("/slow"), nobody, nobody))
    await asyncio.sleep(0)
    for path in ("/one", "/two"):
        await around(scope(path), nobody, nobody)
    assert [visit.path for visit in activity.visits()] == ["/slow", "/two", "/one"]
    held.set()
    await slow
    assert [visit.path for visit in activity.visits()] == ["/slow", "/two", "/one"]


async def test_a_client_that_leaves_and_an_error_are_over_too() -> None:
    activity = Activity()

    async def app(_scope: Any, _receive: Any, _send: Any) -> None:
        await asyncio.sleep(60)

    running = asyncio.ensure_future(activity.around(app)(scope(), nobody, nobody))
    await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert not activity.busy
    (seen,) = activity.visits()
    assert (seen.running, seen.status) == (False, 0)


async def test_only_so_many_are_remembered_and_long_paths_are_cut() -> None:
    activity = Activity()
    around = activity.around(nobody)
    for _ in range(KEPT + 20):
        await around(scope("/" + "x" * 10_000), nobody, nobody)
    visits = tuple(activity.visits())
    assert len(visits) == KEPT
    assert all(len(visit.path) <= 200 for visit in visits)
    assert activity.totals().requests == KEPT + 20


async def test_forgetting_leaves_the_counts() -> None:
    activity = Activity()
    await activity.around(nobody)(scope(), nobody, nobody)
    activity.forget()
    assert not tuple(activity.visits())
    assert activity.totals().requests == 1

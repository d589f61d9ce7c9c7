"""Loading, sharing and closing of models. The workers are scripted ones."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.backends.local import LocalBackend
from app.engine.catalogues.catalogue import Catalogue, ModelEntry
from app.engine.fitting import ModelShape
from app.engine.frames import Role
from app.engine.hardware import Device, Hardware, Memory
from app.engine.pool import ModelPool
from app.errors import EngineError, ModelLoadError, ModelNotInstalledError, UnknownModelError, WorkerDiedError
from app.messages import ChatRequest, Delta, Finished, Message, Sampling, TextDelta, Waiting
from app.routing.router import Router
from app.settings import EngineSettings

SCRIPTED = (sys.executable, "-P", str(Path(__file__).parent / "programs" / "scripted_worker.py"))
MIB = 1024**2


def entry(name: str, role: Role = "chat") -> ModelEntry:
    return ModelEntry(
        name=name, source="path:/nowhere", role=role, size=100 * MIB, context=128, sampling=Sampling(temperature=0.5)
    )


@dataclass
class Shelf:
    """Stands for the store: the path of a model tells the scripted worker what to do."""

    missing: frozenset[str] = frozenset({"absent"})
    checks: int = 0

    def path_of(self, entry: ModelEntry) -> Path | None:
        return None if entry.name in self.missing else Path("/models") / entry.name

    async def ready(self, entry: ModelEntry) -> Path:
        self.checks += 1
        return Path("/models") / entry.name


def ask(model: str, text: str = "hello", **sampling: Any) -> ChatRequest:
    return ChatRequest(model=model, messages=(Message.user(text),), sampling=Sampling(**sampling))


async def said(pool: ModelPool, model: str, text: str = "hello", **sampling: Any) -> list[Delta]:
    return [delta async for delta in pool.stream(ask(model, text, **sampling))]


def names(pool: ModelPool) -> set[str]:
    return {model.name for model in pool.loaded()}


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.01)
    pytest.fail("waited in vain")


NAMES = ("a", "b", "c", "slow", "hang", "die", "refuse", "absent")
CATALOGUE = Catalogue([*map(entry, NAMES), entry("e", "embed")])


@pytest.fixture
async def make(tmp_path: Path) -> AsyncIterator[Callable[..., ModelPool]]:
    pools: list[ModelPool] = []

    def make(available: Callable[[], int] = lambda: 10**12, **settings: Any) -> ModelPool:
        shelf: Any = Shelf()
        pool = ModelPool(
            CATALOGUE,
            shelf,
            EngineSettings(**settings),
            tmp_path / "logs",
            command=SCRIPTED,
            read_memory=lambda: Memory(10**12, available()),
        )
        pools.append(pool)
        return pool

    yield make
    for pool in pools:
        await pool.aclose()
        assert pool.loaded() == ()


Make = Callable[..., ModelPool]


async def test_a_model_is_loaded_at_its_first_use_with_progress(make: Make) -> None:
    pool = make()
    assert pool.loaded() == ()
    deltas = await said(pool, "slow")
    stages = [(delta.stage, delta.done) for delta in deltas if isinstance(delta, Waiting) and delta.total == 100]
    assert stages[-1][0] == "loading"
    assert [done for _, done in stages] == sorted(done for _, done in stages)
    assert len(stages) > 2
    assert isinstance(deltas[-1], Finished)
    assert names(pool) == {"slow"}


async def test_requests_at_once_load_it_once_and_nothing_loads_it_again(make: Make) -> None:
    pool = make()
    answers = await asyncio.gather(*(said(pool, "slow", temperature=number / 10) for number in range(8)))
    assert all(isinstance(deltas[-1], Finished) for deltas in answers)
    (first,) = pool.loaded()
    await said(pool, "slow", temperature=2.0, seed=3, stop=("x",))
    (second,) = pool.loaded()
    assert first.pid == second.pid
    assert pool._store.checks == 1  # type: ignore[attr-defined]


async def test_unknown_absent_and_unfit_models_are_typed_errors(make: Make) -> None:
    pool = make()
    with pytest.raises(UnknownModelError):
        await said(pool, "nobody")
    with pytest.raises(ModelNotInstalledError) as caught:
        await said(pool, "absent")
    assert caught.value.remedy == "Run: playground models pull absent"
    with pytest.raises(EngineError, match="not for chat"):
        await said(pool, "e")
    with pytest.raises(ModelLoadError):
        await said(pool, "refuse")
    with pytest.raises(WorkerDiedError, match="while it loaded"):
        await pool.load("die")
    assert pool.loaded() == ()


async def test_everybody_who_waited_for_a_failed_load_hears_of_it(make: Make) -> None:
    pool = make()
    answers = await asyncio.gather(*(said(pool, "die") for _ in range(4)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [WorkerDiedError] * 4
    assert len({id(answer) for answer in answers}) == 4


async def test_the_model_used_longest_ago_makes_room(make: Make) -> None:
    pool = make(max_loaded=2)
    for name in ("a", "b", "a", "c"):
        await said(pool, name)
    assert names(pool) == {"a", "c"}


async def test_models_of_other_roles_are_beside_it_not_in_its_place(make: Make) -> None:
    pool = make(max_loaded=1)
    await said(pool, "a")
    await pool.load("e")
    assert names(pool) == {"a", "e"}
    await said(pool, "b")
    assert names(pool) == {"b", "e"}


async def test_little_memory_makes_room_too(make: Make) -> None:
    free = 300 * MIB
    pool = make(lambda: free, max_loaded=9)
    await said(pool, "a")
    free = 50 * MIB
    await said(pool, "b")
    assert names(pool) == {"b"}


async def test_a_busy_model_is_waited_for(make: Make) -> None:
    pool = make(max_loaded=1)
    async with aclosing(pool.stream(ask("a", "forever"))) as busy:
        async for delta in busy:
            if isinstance(delta, TextDelta):
                break
        waiting = asyncio.create_task(said(pool, "b"))
        await asyncio.sleep(0.3)
        assert not waiting.done()
        assert names(pool) == {"a"}
    deltas = await asyncio.wait_for(waiting, 5)
    assert deltas[0] == Waiting("queued", 0, 100)
    assert names(pool) == {"b"}


async def test_an_idle_model_is_closed_after_its_keep_alive_and_not_before(make: Make) -> None:
    pool = make(keep_alive_s=0.3)
    await said(pool, "a")
    await asyncio.sleep(0.2)
    await said(pool, "a")
    await asyncio.sleep(0.2)
    assert names(pool) == {"a"}
    await until(lambda: pool.loaded() == ())
    assert isinstance((await said(pool, "a"))[-1], Finished)


async def test_a_keep_alive_of_zero_keeps_for_good(make: Make) -> None:
    pool = make(keep_alive_s=0)
    await said(pool, "a")
    await asyncio.sleep(0.1)
    assert names(pool) == {"a"}


async def test_a_model_is_unloaded_and_loaded_again(make: Make) -> None:
    pool = make()
    first = await pool.load("a")
    await pool.unload("a")
    await pool.unload("a")
    assert pool.loaded() == ()
    second = await pool.load("a")
    assert second.pid != first.pid


async def test_unloading_ends_answers(make: Make) -> None:
    pool = make()
    running = asyncio.create_task(said(pool, "a", "forever"))
    await until(lambda: any(model.requests for model in pool.loaded()))
    await pool.unload("a")
    with pytest.raises(EngineError, match="unloaded"):
        await running


async def test_unloading_can_wait_for_answers(make: Make) -> None:
    pool = make()
    async with aclosing(pool.stream(ask("a", "forever"))) as deltas:
        async for delta in deltas:
            if isinstance(delta, TextDelta):
                break
        unloading = asyncio.create_task(pool.unload("a", drain=True))
        await asyncio.sleep(0.1)
        assert not unloading.done()
        assert isinstance(await anext(deltas), TextDelta)
    await asyncio.wait_for(unloading, 5)
    assert pool.loaded() == ()


async def test_unloading_while_it_loads_tells_those_who_wait(make: Make) -> None:
    pool = make()
    waiting = asyncio.create_task(said(pool, "hang"))
    await asyncio.sleep(0.3)
    await pool.unload("hang")
    with pytest.raises(EngineError, match="while it was loading"):
        await waiting


async def test_a_load_that_nobody_waits_for_any_more_is_given_up(make: Make) -> None:
    pool = make()
    one, two = (asyncio.create_task(said(pool, "hang")) for _ in range(2))
    await asyncio.sleep(0.3)
    one.cancel()
    await asyncio.sleep(0.05)
    assert not two.done()
    two.cancel()
    await asyncio.gather(one, two, return_exceptions=True)
    assert isinstance((await asyncio.wait_for(said(pool, "a"), 5))[-1], Finished)


async def test_a_dead_worker_is_replaced_at_the_next_request(make: Make) -> None:
    pool = make()
    for word in ("segfault", "exit"):
        with pytest.raises(WorkerDiedError):
            await said(pool, "a", word)
        assert isinstance((await said(pool, "a"))[-1], Finished)
    (model,) = pool.loaded()
    assert model.pid is not None
    os.kill(model.pid, signal.SIGKILL)
    await until(lambda: pool.loaded() == ())
    assert isinstance((await said(pool, "a"))[-1], Finished)


async def test_the_machine_decides_where_a_model_runs_and_says_why(tmp_path: Path) -> None:
    gpu = Device("CUDA0", "a card", "gpu", 4096 * MIB, 4096 * MIB)

    async def find_hardware() -> Hardware:
        return Hardware(memory=Memory(10**12, 10**12), cores=2, devices=(gpu,), gpu_offload=True)

    shelf: Any = Shelf()
    pool = ModelPool(
        CATALOGUE,
        shelf,
        EngineSettings(),
        tmp_path,
        command=SCRIPTED,
        shape_of=lambda _path: ModelShape(layers=10, size_bytes=100 * MIB, kv_bytes=1000),
        find_hardware=find_hardware,
    )
    await pool.hardware()
    model = await pool.load("a")
    assert (model.placement.device, model.placement.gpu_layers) == ("CUDA0", -1)
    assert "all 10 layers fit" in model.placement.reason
    await pool.aclose()


async def test_tokens_are_counted(make: Make) -> None:
    assert await make().count_tokens(ask("a", "four")) == 4


async def test_a_closed_pool_answers_nobody(make: Make) -> None:
    pool = make()
    running = asyncio.create_task(said(pool, "a", "forever"))
    await until(lambda: bool(pool.loaded()))
    await pool.aclose()
    with pytest.raises(EngineError):
        await running
    with pytest.raises(EngineError, match="closing"):
        await said(pool, "a")


async def test_the_router_reaches_the_pool_through_the_local_backend(make: Make) -> None:
    router = Router([LocalBackend(make())])
    assert await router.models() == NAMES
    deltas = [delta async for delta in router.stream(ask("b"))]
    assert isinstance(deltas[-1], Finished)
    with pytest.raises(UnknownModelError, match="nobody"):
        _ = [delta async for delta in router.stream(ask("nobody"))]
    await router.aclose()

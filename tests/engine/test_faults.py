"""Faults of the real worker with the real starter model: killed at every moment, cancelled at random moments."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from app.engine.catalogues.catalogue import Catalogue, ModelEntry
from app.engine.frames import LoadOptions
from app.engine.pool import ModelPool
from app.engine.process.log import WorkerLog
from app.engine.process.worker_process import WorkerProcess
from app.errors import WorkerDiedError
from app.messages import ChatRequest, Delta, Finished, Message, Sampling, TextDelta
from app.settings import EngineSettings

STORY = "Tell me a long story about a lighthouse keeper and his seven cats."


def ask(text: str = STORY, max_tokens: int | None = 400) -> ChatRequest:
    return ChatRequest(
        model="starter",
        messages=(Message.user(text),),
        sampling=Sampling(max_tokens=max_tokens, temperature=0.7, seed=1),
    )


@pytest.fixture
async def fresh(starter_model: Path, tmp_path: Path) -> AsyncIterator[Callable[[], WorkerProcess]]:
    workers: list[WorkerProcess] = []

    def fresh() -> WorkerProcess:
        options = LoadOptions(path=str(starter_model), context=2048, sequences=8, queue=200)
        workers.append(WorkerProcess("starter", options, WorkerLog(tmp_path / "worker.log")))
        return workers[-1]

    yield fresh
    for worker in workers:
        await worker.aclose()
        assert worker.pid is None or not psutil.pid_exists(worker.pid)


Fresh = Callable[[], WorkerProcess]


def kill(worker: WorkerProcess) -> None:
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)


async def test_killed_in_the_middle_of_an_answer(fresh: Fresh) -> None:
    worker = fresh()
    await worker.load()
    said: list[Delta] = []
    with pytest.raises(WorkerDiedError, match="SIGKILL while it answered"):
        async for delta in worker.stream(ask()):
            said.append(delta)
            if sum(isinstance(seen, TextDelta) for seen in said) == 10:
                kill(worker)
    assert len("".join(delta.text for delta in said if isinstance(delta, TextDelta))) > 10
    again = fresh()
    await again.load()
    deltas = [delta async for delta in again.stream(ask(max_tokens=8))]
    assert isinstance(deltas[-1], Finished)


@pytest.mark.parametrize("share", [0.0, 0.5])
async def test_killed_while_it_loads(fresh: Fresh, share: float) -> None:
    worker = fresh()

    def on_progress(done: float) -> None:
        if done >= share:
            kill(worker)

    with pytest.raises(WorkerDiedError, match="SIGKILL while it loaded"):
        await worker.load(on_progress)
    again = fresh()
    await again.load()
    assert (await again.status()).running == 0


async def test_killed_while_idle(fresh: Fresh) -> None:
    worker = fresh()
    await worker.load()
    gone = asyncio.Event()
    worker.on_death(gone.set)
    kill(worker)
    await asyncio.wait_for(gone.wait(), 5)
    with pytest.raises(WorkerDiedError, match="idle"):
        _ = [delta async for delta in worker.stream(ask())]


class OneFile:
    """Stands for the store: one model, whose file is known."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def path_of(self, entry: ModelEntry) -> Path:
        return self._path

    async def ready(self, entry: ModelEntry) -> Path:
        return self._path


async def test_after_every_death_the_pool_answers_the_next_request(starter_model: Path, tmp_path: Path) -> None:
    store: Any = OneFile(starter_model)
    catalogue = Catalogue([ModelEntry(name="starter", source="path:/nowhere", context=1024)])
    pool = ModelPool(catalogue, store, EngineSettings(), tmp_path / "logs")

    async def answer() -> Delta:
        return [delta async for delta in pool.stream(ask(max_tokens=6))][-1]

    try:
        assert isinstance(await answer(), Finished)
        for moment in ("answering", "idle", "loading"):
            (model,) = pool.loaded()
            assert model.pid is not None
            if moment == "answering":
                with pytest.raises(WorkerDiedError):
                    async for delta in pool.stream(ask()):
                        if isinstance(delta, TextDelta):
                            os.kill(model.pid, signal.SIGKILL)
            elif moment == "idle":
                os.kill(model.pid, signal.SIGKILL)
                while pool.loaded():
                    await asyncio.sleep(0.01)
            else:
                await pool.unload("starter")
                me = psutil.Process()
                with pytest.raises(WorkerDiedError, match="while it loaded"):
                    async for _ in pool.stream(ask()):
                        for child in me.children():
                            child.kill()
            assert isinstance(await answer(), Finished), moment
        assert len(pool.loaded()) == 1
    finally:
        await pool.aclose()


async def test_a_hundred_requests_cancelled_at_random_moments_leave_no_busy_slot(fresh: Fresh) -> None:
    worker = fresh()
    await worker.load()
    dice = random.Random(7)

    async def interrupted(number: int) -> None:
        prompt = " ".join([STORY] * dice.randint(1, 12)) + f" ({number})"
        reading = asyncio.create_task(read(prompt, dice.choice([None, 0, 1, 5, 20])))
        await asyncio.sleep(dice.random() * 1.5)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)

    async def read(prompt: str, most: int | None) -> None:
        stream = worker.stream(ask(prompt))
        texts = 0
        try:
            async for delta in stream:
                texts += isinstance(delta, TextDelta)
                if texts == most:
                    return
        finally:
            await stream.aclose()

    await asyncio.gather(*(interrupted(number) for number in range(100)))
    assert worker.open_requests == 0
    for _ in range(200):
        status = await worker.status()
        if status.running == status.queued == 0:
            break
        await asyncio.sleep(0.02)
    assert (status.running, status.queued) == (0, 0)
    deltas = [delta async for delta in worker.stream(ask(max_tokens=8))]
    assert isinstance(deltas[-1], Finished)

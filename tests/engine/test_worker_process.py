"""A worker process seen from the face: answers, cancelling, and every way of dying. The child is a scripted one."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from pathlib import Path

import psutil
import pytest

from app.engine.frames import LoadOptions
from app.engine.process.log import WorkerLog
from app.engine.process.worker_process import WorkerProcess
from app.errors import ContextOverflowError, EngineError, ModelLoadError, WorkerDiedError
from app.messages import ChatRequest, Delta, Finished, Message, Started, TextDelta, ThinkingDelta, Waiting

SCRIPTED = (sys.executable, "-P", str(Path(__file__).parent / "programs" / "scripted_worker.py"))

Spawn = Callable[..., Awaitable[WorkerProcess]]


def ask(text: str) -> ChatRequest:
    return ChatRequest(model="parrot", messages=(Message.user(text),))


async def said(worker: WorkerProcess, text: str) -> list[Delta]:
    return [delta async for delta in worker.stream(ask(text))]


def text_of(deltas: list[Delta]) -> str:
    return "".join(delta.text for delta in deltas if isinstance(delta, TextDelta))


async def is_busy(worker: WorkerProcess, requests: int = 1) -> bool:
    return (await worker.status()).running >= requests


async def until(condition: Callable[[], bool | Awaitable[bool]]) -> None:
    for _ in range(500):
        found = condition()
        if found if isinstance(found, bool) else await found:
            return
        await asyncio.sleep(0.01)
    pytest.fail("waited in vain")


@pytest.fixture
async def spawn(tmp_path: Path) -> AsyncIterator[Spawn]:
    workers: list[WorkerProcess] = []

    async def spawn(mode: str = "good", *, load: bool = True) -> WorkerProcess:
        worker = WorkerProcess("parrot", LoadOptions(path=mode), WorkerLog(tmp_path / "logs" / "w.log"), SCRIPTED)
        workers.append(worker)
        if load:
            await worker.load()
        return worker

    yield spawn
    for worker in workers:
        await worker.aclose()
        assert worker.pid is None or not psutil.pid_exists(worker.pid)


async def test_an_answer_has_the_order_that_every_face_expects(spawn: Spawn) -> None:
    deltas = await said(await spawn(), "hello")
    assert deltas[0] == Waiting("prefill", 4, 10)
    assert deltas[1] == Started("parrot", "local", 10, 4, 128)
    assert text_of(deltas) == "hello"
    assert isinstance(deltas[-1], Finished)
    assert deltas[-1].usage.completion_tokens == 5


async def test_thinking_is_told_apart(spawn: Spawn) -> None:
    deltas = await said(await spawn(), "<think>hm</think>\nyes")
    assert "".join(delta.text for delta in deltas if isinstance(delta, ThinkingDelta)) == "hm"
    assert text_of(deltas) == "yes"


async def test_loading_reports_progress(spawn: Spawn) -> None:
    worker = await spawn("slow", load=False)
    shares: list[float] = []
    loaded = await worker.load(shares.append)
    assert shares == sorted(shares)
    assert shares[0] == 0.0
    assert shares[-1] == 1.0
    assert len(shares) > 5
    assert worker.loaded is loaded


async def test_a_refused_model_is_a_typed_error_and_leaves_no_process(spawn: Spawn) -> None:
    worker = await spawn("refuse", load=False)
    with pytest.raises(ModelLoadError, match="No") as caught:
        await worker.load()
    assert caught.value.remedy == "Try another."
    assert not worker.alive


async def test_death_on_load_names_the_signal_and_the_last_words(spawn: Spawn) -> None:
    worker = await spawn("die", load=False)
    with pytest.raises(WorkerDiedError, match=r"SIGABRT while it loaded the model.*dying on load"):
        await worker.load()


async def test_a_cancelled_load_ends_the_process(spawn: Spawn) -> None:
    worker = await spawn("hang", load=False)
    loading = asyncio.create_task(worker.load())
    await until(lambda: worker.pid is not None)
    loading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await loading
    assert not psutil.pid_exists(worker.pid)


async def test_a_program_that_does_not_exist_is_a_load_error(tmp_path: Path) -> None:
    worker = WorkerProcess("x", LoadOptions(path=""), WorkerLog(tmp_path / "log"), ("/nonexistent/program",))
    with pytest.raises(ModelLoadError, match="could not be started"):
        await worker.load()
    await worker.aclose()


@pytest.mark.parametrize(
    ("word", "how"),
    [
        ("segfault", "SIGSEGV while it answered.*about to crash"),
        ("exit", "ended with status 7"),
        ("garbage", "not a frame"),
        ("close", "SIGKILL"),
    ],
)
async def test_death_while_answering_keeps_what_came_and_names_the_cause(spawn: Spawn, word: str, how: str) -> None:
    worker = await spawn()
    deltas: list[Delta] = []
    with pytest.raises(WorkerDiedError, match=how):
        async for delta in worker.stream(ask(word)):
            deltas.append(delta)
    assert text_of(deltas) == ("before" if word in ("segfault", "exit") else "")
    assert not worker.alive
    with pytest.raises(WorkerDiedError):
        await said(worker, "hello")
    with pytest.raises(WorkerDiedError):
        await worker.status()


async def test_kill_fails_every_open_request_at_once(spawn: Spawn) -> None:
    worker = await spawn()
    answers = [asyncio.create_task(said(worker, "forever")) for _ in range(5)]
    await until(lambda: is_busy(worker, 5))
    deaths: list[bool] = []
    worker.on_death(lambda: deaths.append(True))
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    for answer in answers:
        with pytest.raises(WorkerDiedError, match="SIGKILL"):
            await asyncio.wait_for(answer, 3)
    assert deaths == [True]
    assert worker.open_requests == 0


async def test_killed_while_idle_is_noticed(spawn: Spawn) -> None:
    worker = await spawn()
    gone = asyncio.Event()
    worker.on_death(gone.set)
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    await asyncio.wait_for(gone.wait(), 3)
    with pytest.raises(WorkerDiedError, match="idle"):
        await said(worker, "hello")


async def test_closing_and_cancelling_reach_the_worker(spawn: Spawn) -> None:
    worker = await spawn()
    async with aclosing(worker.stream(ask("forever"))) as deltas:
        async for delta in deltas:
            if isinstance(delta, TextDelta):
                break
    task = asyncio.create_task(said(worker, "forever"))
    await until(lambda: is_busy(worker))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await worker.status()).running == 0
    assert worker.open_requests == 0


async def test_a_slow_reader_holds_up_nobody_and_loses_nothing(spawn: Spawn) -> None:
    worker = await spawn()
    slow = worker.stream(ask("flood 20000"))
    first = [await anext(slow), await anext(slow)]
    assert isinstance(first[1], Started)
    began = time.monotonic()
    assert text_of(await said(worker, "hello")) == "hello"
    assert time.monotonic() - began < 5
    rest = [delta async for delta in slow]
    assert text_of(rest) == "".join(f"{number} " for number in range(20000))
    assert len(rest) < 10000, "pieces that waited are given as one text"


async def test_framing_costs_little(spawn: Spawn) -> None:
    worker = await spawn()
    process = psutil.Process()
    before = process.cpu_times()
    deltas = await said(worker, "flood 20000")
    after = process.cpu_times()
    used = after.user + after.system - before.user - before.system
    assert isinstance(deltas[-1], Finished)
    assert used / 20000 < 100e-6


async def test_errors_cross_the_pipe_as_themselves(spawn: Spawn) -> None:
    worker = await spawn()
    with pytest.raises(ContextOverflowError, match="Too long") as caught:
        await said(worker, "fail")
    assert caught.value.remedy == "Shorten."
    assert text_of(await said(worker, "again")) == "again"


async def test_tokens_are_counted(spawn: Spawn) -> None:
    worker = await spawn()
    assert await worker.count_tokens(ask("twelve bytes")) == 12


async def test_unloading_ends_open_answers_with_a_sentence(spawn: Spawn) -> None:
    worker = await spawn()
    answer = asyncio.create_task(said(worker, "forever"))
    await until(lambda: is_busy(worker))
    await worker.aclose()
    with pytest.raises(EngineError, match="unloaded"):
        await answer
    await worker.aclose()
    with pytest.raises(EngineError):
        await worker.status()


async def test_a_worker_that_will_not_end_is_killed(spawn: Spawn) -> None:
    worker = await spawn("stubborn")
    await worker.aclose()
    assert worker.pid is not None
    assert not psutil.pid_exists(worker.pid)


async def test_the_log_is_clean_and_bounded(spawn: Spawn, tmp_path: Path) -> None:
    worker = await spawn()
    for _ in range(40):
        await said(worker, "log 0123456789abcdef")
    await worker.aclose()
    log = tmp_path / "logs" / "w.log"
    assert "\x1b" not in log.read_text()
    assert log.stat().st_size <= 256 * 1024
    assert {path.name for path in log.parent.iterdir()} == {"w.log", "w.log.1"}


async def test_the_child_has_a_session_of_its_own(spawn: Spawn) -> None:
    worker = await spawn()
    assert worker.pid is not None
    assert os.getsid(worker.pid) == worker.pid
    assert os.getsid(0) != worker.pid


async def test_the_child_ends_when_the_face_is_killed(tmp_path: Path) -> None:
    program = tmp_path / "face.py"
    program.write_text(
        "import asyncio, sys\nfrom pathlib import Path\n"
        "from app.engine.frames import LoadOptions\nfrom app.engine.process.log import WorkerLog\n"
        "from app.engine.process.worker_process import WorkerProcess\n"
        "async def main():\n"
        f"    log = WorkerLog(Path({str(tmp_path / 'l')!r}))\n"
        f"    worker = WorkerProcess('p', LoadOptions(path='good'), log, {SCRIPTED!r})\n"
        "    await worker.load()\n    print(worker.pid, flush=True)\n    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    face = await asyncio.create_subprocess_exec(sys.executable, str(program), stdout=asyncio.subprocess.PIPE)
    assert face.stdout is not None
    pid = int(await face.stdout.readline())
    face.kill()
    await face.wait()
    await until(lambda: not psutil.pid_exists(pid))

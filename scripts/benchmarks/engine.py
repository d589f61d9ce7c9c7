"""The engine beside its peer: tokens a second at 1 to 16 streams, the second turn of a long chat, the cost of framing.

Ours is measured as the program uses it: a worker process, frames, an asynchronous reader. The peer is llama.cpp's
server code in a process of its own. They take turns within each round, and each round begins with the other one.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Protocol

import report
import workload
from contestant_bare import BANNED

from app.engine.frames import LoadOptions
from app.engine.process.log import WorkerLog
from app.engine.process.worker_process import WorkerProcess
from app.messages import ChatRequest, Finished, Message, Sampling, TextDelta

sys.path.insert(0, str(report.REPOSITORY))
from tests.starter import fetch

PARAGRAPH = (
    "The keeper of the lighthouse rose before dawn, trimmed the wick, wrote the hour and the wind in the log, and "
    "looked for the boats that had gone out in the night. "
)


class Contestant(Protocol):
    name: str

    async def run(self, streams: int) -> float:
        """Tokens a second of all streams together."""
        ...


class Child:
    """A contestant in a process of its own, asked by lines of JSON."""

    def __init__(self, name: str, script: str) -> None:
        self.name, self._script = name, script

    async def start(self, model: Path) -> None:
        here = Path(__file__).parent
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(here / self._script),
            str(model),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        await self._answer()

    async def run(self, streams: int) -> float:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"streams": streams}).encode() + b"\n")
        found = await self._answer()
        return float(found["tokens"] / found["seconds"])

    async def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()

    async def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            if line.startswith(b"{"):
                found: dict[str, Any] = json.loads(line)
                return found
        raise RuntimeError(f"{self.name} ended with status {await self._process.wait()}")


class Ours:
    """The worker process behind its frames."""

    name = "ours"

    def __init__(self, worker: WorkerProcess) -> None:
        self._worker = worker

    async def run(self, streams: int) -> float:
        began = time.perf_counter()
        counts = await asyncio.gather(*(self._one(number) for number in range(streams)))
        return sum(counts) / (time.perf_counter() - began)

    async def _one(self, number: int) -> int:
        messages = (Message.system(workload.SYSTEM), Message.user(workload.question(number)))
        sampling = Sampling(temperature=0.0, max_tokens=workload.TOKENS, logit_bias=BANNED)
        async for delta in self._worker.stream(ChatRequest(model="m", messages=messages, sampling=sampling)):
            if isinstance(delta, Finished) and delta.usage.completion_tokens == workload.TOKENS:
                return workload.TOKENS
        raise RuntimeError(f"the stream ended before {workload.TOKENS} tokens")

    async def first_token(self, messages: tuple[Message, ...]) -> tuple[float, str, int]:
        """Seconds to the first text, the whole answer, and the length of the prompt in tokens."""
        began = time.perf_counter()
        first, text, prompt = 0.0, "", 0
        sampling = Sampling(temperature=0.0, max_tokens=16)
        async for delta in self._worker.stream(ChatRequest(model="m", messages=messages, sampling=sampling)):
            match delta:
                case TextDelta(piece):
                    first = first or time.perf_counter() - began
                    text += piece
                case Finished(usage=usage):
                    prompt = usage.prompt_tokens
        return first, text, prompt


async def main() -> None:
    chosen = report.arguments("engine", rounds=5)
    model = await asyncio.to_thread(fetch)
    options = LoadOptions(
        path=str(model),
        context=workload.CONTEXT,
        cells=workload.CELLS,
        sequences=workload.SEQUENCES,
        device="cpu",
        speculation="off",
    )
    with tempfile.TemporaryDirectory() as logs:
        worker = WorkerProcess("starter", options, WorkerLog(Path(logs) / "worker.log"))
        await worker.load()
        ours, peer, bare = Ours(worker), Child("peer", "contestant_peer.py"), Child("bare", "contestant_bare.py")
        await peer.start(model)
        speeds = await throughput(chosen.rounds, ours, peer)
        await peer.close()
        await bare.start(model)
        framing = await throughput(chosen.rounds, ours, bare, streams=(1, 16))
        await bare.close()
        turns = await second_turns(chosen.rounds, ours)
        await worker.aclose()
    print_speeds("Tokens a second, all streams together", "peer", speeds)
    print_speeds("The cost of frames and pipe", "bare loop", framing)
    print(
        f"\nTime to first token in a chat of {turns['prompt_tokens']} tokens: first turn {turns['first_s']:.2f} s, "
        f"second {turns['second_s'] * 1000:.0f} ms, {turns['share']:.1%}"
    )
    report.write(chosen.json, {"rounds": chosen.rounds, "speed": speeds, "framing": framing, "second_turn": turns})


async def throughput(
    rounds: int, one: Contestant, other: Contestant, streams: tuple[int, ...] = workload.STREAMS
) -> list[dict[str, Any]]:
    """Medians of both and of their ratio within each round; a first round is not counted."""
    taken: dict[int, list[tuple[float, float]]] = {count: [] for count in streams}
    for number in range(rounds + 1):
        for count in streams:
            if number % 2:
                first = await rested(one, count)
                second = await rested(other, count)
            else:
                second = await rested(other, count)
                first = await rested(one, count)
            if number:
                taken[count].append((first, second))
            print(
                f"  round {number}, {count:2} streams: {one.name} {first:6.1f}  {other.name} {second:6.1f}", flush=True
            )
    return [
        {
            "streams": count,
            "ours": round(report.median([a for a, _ in pairs]), 1),
            "other": round(report.median([b for _, b in pairs]), 1),
            "ratio": round(report.median([a / b for a, b in pairs]), 3),
        }
        for count, pairs in taken.items()
    ]


async def rested(contestant: Contestant, streams: int) -> float:
    """A run that begins when whatever the last one left to be tidied up, on either side, is done."""
    await asyncio.sleep(1.0)
    return await contestant.run(streams)


async def second_turns(rounds: int, ours: Ours) -> dict[str, Any]:
    """The first and the second turn of chats of 2,000 tokens, each with a beginning of its own."""
    firsts, seconds, prompt = [], [], 0
    for number in range(rounds):
        opening = Message.user(f"Log book {number * 7919}. " + PARAGRAPH * 56)
        first, answer, prompt = await ours.first_token((opening,))
        follow = (opening, Message.assistant(answer), Message.user("What did the keeper do first?"))
        second, _, _ = await ours.first_token(follow)
        firsts.append(first)
        seconds.append(second)
    return {
        "prompt_tokens": prompt,
        "first_s": round(report.median(firsts), 4),
        "second_s": round(report.median(seconds), 4),
        "share": round(report.median([b / a for a, b in zip(firsts, seconds, strict=True)]), 4),
    }


def print_speeds(title: str, other: str, speeds: list[dict[str, Any]]) -> None:
    print(f"\n{title}\n  streams    ours  {other:>9}  ratio")
    for row in speeds:
        print(f"  {row['streams']:7}  {row['ours']:6.1f}  {row['other']:9.1f}  {row['ratio']:.3f}")


if __name__ == "__main__":
    asyncio.run(main())

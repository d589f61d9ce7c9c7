"""What prompt lookup brings: an answer that rewrites 600 tokens, and one that repeats nothing, with it and without.

Two workers take turns within each round, and each round begins with the other one. Beside the time of day, the time of
the processors is compared, with one thread: that holds on a busy machine too.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import report

from app.engine.frames import LoadOptions
from app.engine.process.log import WorkerLog
from app.engine.process.worker_process import WorkerProcess
from app.messages import ChatRequest, Finished, Message, Sampling, TextDelta

sys.path.insert(0, str(report.REPOSITORY))
from tests.starter import fetch

ORDER = "Copy the text, and write Highmoor for Lowmoor:\n\n"
SHOWN = (
    "The harbour of Lowmoor has been in use since at least the twelfth century, when monks from the abbey shipped wool "
    "to Flanders. The first stone pier was finished in 1642, after three wooden ones had been carried away by storms."
)
TEXT = (
    "The railway reached Lowmoor in 1851. Fish that had gone to market in salt now went on ice, and the catch doubled "
    "within ten years. A new lighthouse was built on the northern pier in 1863 by the engineer Margaret Dunne, who "
    "insisted on granite although the council had voted for brick. Her accounts, kept in the town archive, show that "
    "she paid the difference from her own pocket. The lamp burned colza oil until 1902, then paraffin, and was "
    "changed to electric light in 1934.\n\n"
    "The two wars were hard on the port. In 1917 a mine drifted into the outer basin and sank the pilot boat with all "
    "seven hands; their names are cut into the wall of the customs house. In 1941 a single bomb destroyed the fish "
    "market, the ice factory and most of Chandler Street, and the herring, which had been growing scarcer for years, "
    "did not come back after the war. By 1960 only thirty boats were registered at Lowmoor, and the railway closed "
    "four years later.\n\n"
    "What saved the town was mud. The flats to the south, which the railway company had once planned to drain, turned "
    "out to be one of the most important feeding grounds for wading birds on the whole coast. A reserve was founded "
    "in 1971, with a hide made of an old signal box, and visitors began to come in the winter months, when the hotels "
    "had always stood empty. Today about ninety thousand people visit each year. The harbour office sells more "
    "postcards of curlews than of boats, and the last herring smoker, now eighty-one, gives lessons on Saturdays.\n\n"
    "The sea wall was raised by half a metre in 1987. It has been topped only once since then, in the storm of "
    "February 2014, when the water stood in the cellars of Quay Street for three days and the school was used as a "
    "kitchen."
)

REWRITING = (
    Message.user(ORDER + SHOWN),
    Message.assistant(SHOWN.replace("Lowmoor", "Highmoor")),
    Message.user(ORDER + TEXT),
)
CHATTING = (Message.user("Why is the sky blue, and why are sunsets red? Answer in a few paragraphs."),)


@dataclass(frozen=True)
class Run:
    """One answer: its text and tokens, the time that its tokens took, and that of the processors for all of it."""

    text: str
    tokens: int
    seconds: float
    processor_s: float


class Contestant:
    """A worker process, with speculation or without."""

    def __init__(self, worker: WorkerProcess, process: psutil.Process) -> None:
        self._worker, self._process = worker, process

    async def run(self, messages: tuple[Message, ...], most: int) -> Run:
        """An answer to a prompt that is in the cache already."""
        await self._answer(messages, 1)
        await asyncio.sleep(0.5)
        before = sum(self._process.cpu_times()[:2])
        text, tokens, seconds = await self._answer(messages, most)
        return Run(text, tokens, seconds, sum(self._process.cpu_times()[:2]) - before)

    async def _answer(self, messages: tuple[Message, ...], most: int) -> tuple[str, int, float]:
        text, began = "", time.perf_counter()
        request = ChatRequest(model="m", messages=messages, sampling=Sampling(temperature=0.1, max_tokens=most))
        async for delta in self._worker.stream(request):
            match delta:
                case TextDelta(piece):
                    text += piece
                case Finished(usage=usage):
                    return text, usage.completion_tokens, time.perf_counter() - began
        raise RuntimeError("the stream ended without saying so")

    async def guesses(self) -> tuple[int, int]:
        """Tokens guessed so far, and those guessed rightly."""
        status = await self._worker.status()
        return status.guessed_tokens, status.right_tokens

    async def close(self) -> None:
        await self._worker.aclose()


async def opened(model: Path, logs: Path, speculation: Any, threads: int) -> Contestant:
    known = {child.pid for child in psutil.Process().children()}
    options = LoadOptions(
        path=str(model), context=4096, sequences=4, device="cpu", threads=threads, speculation=speculation
    )
    worker = WorkerProcess(speculation, options, WorkerLog(logs / f"{speculation}-{threads}.log"))
    await worker.load()
    (process,) = (child for child in psutil.Process().children() if child.pid not in known)
    return Contestant(worker, process)


async def compare(model: Path, logs: Path, rounds: int, threads: int) -> list[dict[str, Any]]:
    """Medians of the ratio within each round, by time and by processor time a token."""
    guessing, plain = [await opened(model, logs, kind, threads) for kind in ("prompt-lookup", "off")]
    found = []
    for name, messages, most in (("rewriting", REWRITING, 640), ("chatting", CHATTING, 96)):
        before = await guessing.guesses()
        pairs: list[tuple[Run, Run]] = []
        for number in range(rounds):
            order = (guessing, plain) if number % 2 else (plain, guessing)
            runs = {each: await each.run(messages, most) for each in order}
            one, other = runs[guessing], runs[plain]
            pairs.append((one, other))
            words = "" if one.text == other.text else "; other words"
            print(
                f"  {threads or 'all'} threads, {name}: {one.tokens} tokens; a second {one.tokens / one.seconds:6.1f} "
                f"and {other.tokens / other.seconds:6.1f}, processors {one.processor_s:.2f} and "
                f"{other.processor_s:.2f} s{words}",
                flush=True,
            )
        guessed, right = (now - then for now, then in zip(await guessing.guesses(), before, strict=True))
        found.append(
            {
                "answer": name,
                "threads": threads,
                "tokens": report.median([one.tokens for one, _ in pairs]),
                "guessing": round(report.median([one.tokens / one.seconds for one, _ in pairs]), 1),
                "plain": round(report.median([other.tokens / other.seconds for _, other in pairs]), 1),
                "ratio": round(report.median([faster(one, other, "seconds") for one, other in pairs]), 3),
                "processor_ratio": round(report.median([faster(one, other, "processor_s") for one, other in pairs]), 3),
                "guessed": guessed,
                "right": right,
                "same_text": all(one.text == other.text for one, other in pairs),
            }
        )
    await guessing.close()
    await plain.close()
    return found


def faster(one: Run, other: Run, time_of: str) -> float:
    """How many times as many tokens one says in the same time."""
    rate, other_rate = (run.tokens / float(getattr(run, time_of)) for run in (one, other))
    return rate / other_rate


async def main() -> None:
    chosen = report.arguments("speculation", rounds=4)
    model = await asyncio.to_thread(fetch)
    with tempfile.TemporaryDirectory() as logs:
        found = [row for threads in (0, 1) for row in await compare(model, Path(logs), chosen.rounds, threads)]
    print("\nTokens a second\n  threads  answer     guessing   plain  ratio  by processor time  right of guessed")
    for row in found:
        print(
            f"  {row['threads'] or 'all':>7}  {row['answer']:9}  {row['guessing']:8.1f}  {row['plain']:6.1f}  "
            f"{row['ratio']:.3f}  {row['processor_ratio']:17.3f}  {row['right']:6} of {row['guessed']}"
        )
    report.write(chosen.json, {"rounds": chosen.rounds, "speculation": found})


if __name__ == "__main__":
    asyncio.run(main())

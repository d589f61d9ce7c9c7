"""Two hundred clients for three minutes, a third of which leave: nothing may leak, and nobody may get a wrong answer.

The server is ``playground serve`` with the real engine and the starter model. While the clients ask (``soak_client.py``
says what), the memory of the server and of its workers is read each second. Afterwards everything that was taken must
be free again: sockets, descriptors, the engine's places; and the server must answer as it did before.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import report
import server_contestants
from soak_client import Clients

sys.path.insert(0, str(report.REPOSITORY))
from tests.starter import MODELS, NAME, fetch

_EVERY_S = 1.0
_WARM_UP = 1 / 3
_WINDOW = 1 / 6
_PLACES = 16
_QUIET_S = 15.0
_GRACE_S = 30.0
"""How long the clients may wait for their last answers; then those that still do leave, all at once."""

_IDLE_CPU_S = 0.15
"""Processor time of a worker in two seconds: it computes nothing, and every step of a model takes a multiple of it."""


@dataclass(frozen=True)
class Sample:
    """What the server's processes held at one moment. Memory in bytes."""

    at: float
    server: int
    workers: int
    files: int


class Watch:
    """Reads what the processes hold.

    Args:
        process: the server's.
    """

    def __init__(self, process: psutil.Process) -> None:
        self._process = process
        self.samples: list[Sample] = []

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            self.samples.append(self.now())
            await asyncio.sleep(_EVERY_S)

    def now(self) -> Sample:
        workers = sum(child.memory_info().rss for child in self._process.children(recursive=True))
        return Sample(time.monotonic(), self._process.memory_info().rss, workers, self._process.num_fds())

    def sockets(self) -> int:
        """Connections of the server; what only listens is none."""
        return sum(found.status != psutil.CONN_LISTEN for found in self._process.net_connections("tcp"))

    async def workers_are_idle(self, seconds: float) -> bool:
        """Whether, within so many seconds, nothing is computed: what nobody waits for has been stopped."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            before = self._spent()
            await asyncio.sleep(2.0)
            if self._spent() - before < _IDLE_CPU_S:
                return True
        return False

    def _spent(self) -> float:
        times = [child.cpu_times() for child in self._process.children(recursive=True)]
        return float(sum(spent.user + spent.system for spent in times))


def growth(samples: list[Sample]) -> dict[str, dict[str, float]]:
    """Memory after the warm-up and at the end, MiB, medians of a sixth of the time each, and the growth in percent."""
    began, took = samples[0].at, samples[-1].at - samples[0].at
    found = {}
    for name in ("server", "workers"):
        early, late = (
            report.median(
                [getattr(one, name) for one in samples if start <= (one.at - began) / took <= start + _WINDOW]
            )
            for start in (_WARM_UP, 1 - _WINDOW)
        )
        found[name] = {
            "warm_mib": round(early / 2**20, 1),
            "end_mib": round(late / 2**20, 1),
            "most_mib": round(max(getattr(one, name) for one in samples) / 2**20, 1),
            "growth_percent": round((late / early - 1) * 100, 2),
        }
    return found


async def soak(server: server_contestants.Server, clients: int, seconds: float) -> dict[str, Any]:
    """Everything that was seen."""
    watch = Watch(psutil.Process(server.process.pid))
    crowd = Clients(server.port, server.key, server.model)
    before = await answered(crowd)
    first = watch.now()
    watching = asyncio.create_task(watch.run())
    until = asyncio.get_running_loop().time() + seconds
    began = time.monotonic()
    print(f"{clients} clients for {seconds:g} s", flush=True)
    tasks = [asyncio.create_task(crowd.one(number, until)) for number in range(clients)]
    _done, waiting = await asyncio.wait(tasks, timeout=seconds + _GRACE_S)
    if waiting and await watch.workers_are_idle(2.0):
        crowd.found.fault(f"{len(waiting)} clients wait for answers that nobody computes")
    for task in waiting:
        task.cancel()
    for ended in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(ended, Exception):
            crowd.found.fault(f"a client failed: {ended!r}")
    took = time.monotonic() - began
    watching.cancel()
    samples = [one for one in watch.samples if one.at - began <= seconds]
    idle = await watch.workers_are_idle(_QUIET_S)
    last, sockets = watch.now(), watch.sockets()
    after = await answered(crowd)
    counts = dict(sorted(crowd.found.counts.items()))
    return {
        "clients": clients,
        "seconds": seconds,
        "took_s": round(took, 1),
        "requests": sum(counts.values()),
        "gone_at_the_end": len(waiting),
        "counts": counts,
        "faults": crowd.found.faults,
        "more_faults": crowd.found.more_faults,
        "memory": growth(samples),
        "files": {"before": first.files, "most": max(one.files for one in samples), "after": last.files},
        "sockets_left": sockets,
        "workers_idle": idle,
        "answers_s": {"before": before, "after": after},
    }


async def answered(crowd: Clients) -> float:
    """Seconds for as many answers at once as the engine has places, each checked."""
    began = time.monotonic()
    await asyncio.gather(*(crowd.good(f"all-{number}") for number in range(_PLACES)))
    return round(time.monotonic() - began, 2)


def complaints(found: dict[str, Any], most_growth: float) -> list[str]:
    """What is not as it must be."""
    said = [*found["faults"]]
    if found["more_faults"]:
        said.append(f"and {found['more_faults']} more of the kind")
    for name, memory in found["memory"].items():
        if memory["growth_percent"] > most_growth:
            said.append(f"the memory of the {name} grew by {memory['growth_percent']} %; {most_growth:g} % are allowed")
    if found["files"]["after"] > found["files"]["before"]:
        said.append(f"open files: {found['files']['before']} before, {found['files']['after']} after")
    if found["sockets_left"]:
        said.append(f"{found['sockets_left']} connections are left")
    if not found["workers_idle"]:
        said.append("a worker computes, and nobody waits for it")
    return said


def show(found: dict[str, Any]) -> None:
    print(f"\n{found['requests']} requests of {found['clients']} clients in {found['took_s']} s: {found['counts']}")
    for name, memory in found["memory"].items():
        print(
            f"  memory of the {name:8} {memory['warm_mib']:7.1f} MiB warm, {memory['end_mib']:7.1f} at the end:"
            f" {memory['growth_percent']:+.2f} %"
        )
    files, answers = found["files"], found["answers_s"]
    print(f"  open files      {files['before']} before, {files['most']} at most, {files['after']} after")
    print(f"  connections     {found['sockets_left']} left; workers {'idle' if found['workers_idle'] else 'busy'}")
    print(f"  {_PLACES} answers at once took {answers['before']} s before and {answers['after']} s after")


def main() -> int:
    parser = report.arguments_of("soak")
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=180.0)
    parser.add_argument("--most-growth", type=float, default=5.0, help="of memory after a warm-up, percent")
    chosen = parser.parse_args()
    report.end_in_order()
    fetch()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        shutil.copytree(MODELS, home / "models", symlinks=True)
        server = server_contestants.ours(home, NAME)
        try:
            found = asyncio.run(soak(server, chosen.clients, chosen.seconds))
        finally:
            server.stop()
    show(found)
    said = complaints(found, chosen.most_growth)
    for words in said:
        print(f"NOT AS IT MUST BE: {words}")
    report.write(chosen.json, found)
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())

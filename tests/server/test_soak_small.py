"""The soak of ``scripts/bench soak``, small; and that it sees what it is there to see."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from app.messages import Finished, TextDelta, Timings, Usage

from .scripted import ScriptedBackend, served, services_of

BENCHMARKS = Path(__file__).resolve().parents[2] / "scripts" / "benchmarks"


@pytest.fixture
def clients_of(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    from soak_client import Clients

    return lambda address: Clients(int(address.rpartition(":")[2]), "none", "scripted")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_nothing_leaks_and_nobody_gets_a_wrong_answer(starter_model, tmp_path):
    written = tmp_path / "soak.json"
    # Seven seconds are no time in which memory settles: its growth is judged by the whole soak.
    asked = ("--clients", "20", "--seconds", "7", "--most-growth", "60", "--json", str(written))
    done = subprocess.run([sys.executable, str(BENCHMARKS / "soak.py"), *asked], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(written.read_text())
    assert found["faults"] == []
    assert found["sockets_left"] == 0
    assert found["workers_idle"]
    assert found["requests"] >= 20


async def test_an_answer_to_somebody_else_is_seen(clients_of):
    def steps(request):
        asked = request.messages[-1].text.split()[3].rstrip(".")
        told = asked.replace("mixed", "other")
        return [TextDelta(f'{{"m": "{told}"}}'), Finished("stop", Usage(9, 2, 0), Timings())]

    async with served(services_of(ScriptedBackend(steps))) as address:
        crowd = clients_of(address)
        await crowd.good("one")
        assert crowd.found.faults == []
        await crowd.good("mixed")
    assert len(crowd.found.faults) == 1
    assert "other" in crowd.found.faults[0]


async def test_a_stream_that_is_cut_is_seen(clients_of):
    backend = ScriptedBackend(['{"m"', 30.0])
    async with asyncio.timeout(10):
        async with served(services_of(backend)) as address:
            cut = asyncio.ensure_future(clients_of(address).good("one"))
            while not backend.given:
                await asyncio.sleep(0.01)
        with pytest.raises((ValueError, OSError, asyncio.IncompleteReadError)):
            await cut

"""What the machine has, asked of a child process, whatever the child does."""

from __future__ import annotations

import subprocess
import sys

import pytest

from app.engine.hardware import at_most_threads, cores, may_have_accelerator, memory, probe


async def test_the_real_probe_finds_the_processor() -> None:
    found = await probe()
    assert found.problem == ""
    assert [device.kind for device in found.devices].count("cpu") == 1
    assert found.llama_cpp
    assert found.memory.total >= found.memory.available > 0
    assert found.cores >= 1
    assert bool(found.accelerators) <= may_have_accelerator()


async def test_a_probe_that_fails_is_told_in_a_sentence() -> None:
    cases = {
        ("/nonexistent/program",): "could not be started",
        (sys.executable, "-c", "import os; os.abort()"): "status -6",
        (sys.executable, "-c", "raise SystemExit('no driver')"): "no driver",
        (sys.executable, "-c", "print('hello')"): "cannot be read",
        (sys.executable, "-c", ""): "cannot be read",
    }
    for command, reason in cases.items():
        found = await probe(command)
        assert reason in found.problem
        assert found.devices == ()
        assert found.memory.total > 0


def test_memory_and_cores_need_no_child() -> None:
    assert memory().total >= memory().available > 0
    assert cores() >= 1


@pytest.mark.parametrize(("limit", "found"), [("1", 1), (" 3 ", 3), ("9", 4), ("0", 4), ("", 4), ("two", 4), ("²", 4)])
def test_no_more_threads_are_asked_for_than_openmp_gives(
    monkeypatch: pytest.MonkeyPatch, limit: str, found: int
) -> None:
    monkeypatch.setenv("OMP_THREAD_LIMIT", limit)
    assert at_most_threads(4) == found


def test_asking_never_imports_the_native_library() -> None:
    program = (
        "import sys\nfrom app.engine import hardware, pool, fitting\n"
        "hardware.may_have_accelerator(); hardware.memory()\n"
        "assert 'llama_cpp' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)

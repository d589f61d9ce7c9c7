"""A process of ours that dies leaves nothing of its memory on the disk."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app.engine.process.worker_process import WORKER_COMMAND

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="of Linux")

_RAISED = "import os, resource, sys; most = resource.getrlimit(resource.RLIMIT_CORE)[1]; "
_RAISED += "resource.setrlimit(resource.RLIMIT_CORE, (most, most)); os.execv(sys.argv[1], sys.argv[1:])"
"""A shell that allows dumps, in front of a program."""


def started(folder: Path, *program: str) -> subprocess.Popen[bytes]:
    command = (sys.executable, "-c", _RAISED, *program)
    return subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def limit_of(pid: int) -> str:
    lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
    return next(line for line in lines if line.startswith("Max core file size")).split()[4]


def aborted(child: subprocess.Popen[bytes]) -> None:
    os.kill(child.pid, signal.SIGABRT)
    child.communicate(timeout=30)
    assert child.returncode == -signal.SIGABRT


def dies_leaving_a_dump(folder: Path) -> bool:
    with started(folder, sys.executable, "-c", "import os; os.abort()") as child:
        child.communicate(timeout=30)
    return any(folder.iterdir())


def test_a_process_that_aborts_leaves_no_dump(tmp_path):
    control, ours = tmp_path / "control", tmp_path / "ours"
    control.mkdir()
    ours.mkdir()
    if not dies_leaving_a_dump(control):
        pytest.skip("this machine keeps dumps elsewhere, or none")
    program = "import os; from app.privacy.core_dumps import forbid_core_dumps; forbid_core_dumps(); os.abort()"
    with started(ours, sys.executable, "-c", program) as child:
        child.communicate(timeout=30)
    assert child.returncode == -signal.SIGABRT
    assert not any(ours.iterdir())


def test_where_dumps_were_forbidden_already_they_stay_so():
    program = "import resource; resource.setrlimit(resource.RLIMIT_CORE, (0, 0)); "
    program += "from app.privacy.core_dumps import forbid_core_dumps; forbid_core_dumps(); "
    program += "print(resource.getrlimit(resource.RLIMIT_CORE))"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30)
    assert ended.stdout.strip() == "(0, 0)", ended.stderr


@pytest.mark.parametrize(
    "program",
    [
        WORKER_COMMAND,
        (sys.executable, "-P", "-m", "app.voice.decoder"),
        (sys.executable, "-P", "-m", "app", "chat", "--no-keep"),
    ],
    ids=["worker", "decoder", "program"],
)
def test_every_process_of_ours_forbids_dumps_before_it_is_told_anything(program, tmp_path, monkeypatch):
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path / "home"))
    work = tmp_path / "work"
    work.mkdir()
    with started(work, *program) as child:
        # All three wait for their standard input, which nobody closes.
        until = time.monotonic() + 30
        while limit_of(child.pid) not in ("0", "1"):
            assert child.poll() is None and time.monotonic() < until
            time.sleep(0.02)
        aborted(child)
    assert not any(work.iterdir())


def test_a_process_that_listens_forbids_dumps_too(tmp_path):
    program = "import resource; from app.voice import capture\n"
    program += "try: capture.main(['--wrong'])\nexcept SystemExit: print(resource.getrlimit(resource.RLIMIT_CORE))"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30)
    assert ended.stdout.strip() in ("(0, 0)", "(1, 1)"), ended.stderr

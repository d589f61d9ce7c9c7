"""A disk that is full at any moment: a clear message, nothing lost, and work goes on when there is room."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
SIZE = "2m"
NAMES = {
    "creation",
    "writing",
    "streaming",
    "backing up",
    "rewriting",
    "changing",
    "opening",
    "bringing back",
}


def in_a_small_file_system(folder: Path, *command: str) -> list[str]:
    """The command, run where ``folder`` is a file system of its own that nobody else sees."""
    mount = f'mount -t tmpfs -o size={SIZE} none "$0" && exec "$@"'
    return ["unshare", "-rm", "sh", "-c", mount, str(folder), *command]


def possible(folder: Path) -> bool:
    if shutil.which("unshare") is None:
        return False
    return subprocess.run(in_a_small_file_system(folder, "true"), capture_output=True).returncode == 0


def test_a_full_disk_loses_nothing_and_work_goes_on(tmp_path: Path) -> None:
    if not possible(tmp_path):
        pytest.skip("no small file system can be made here")
    program = [sys.executable, "-m", "tests.vault.programs.full_disk", str(tmp_path)]
    run = subprocess.run(in_a_small_file_system(tmp_path, *program), cwd=REPOSITORY, capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, ""), run.stderr[-3000:]
    attempts = [json.loads(line) for line in run.stdout.splitlines()]
    outcomes = defaultdict(set)
    for attempt in attempts:
        outcomes[attempt["name"]].add(attempt["error"] is None)
        assert attempt["error"] is None or "Make room" in attempt["error"], attempt
    # Each was refused for want of room, and each worked with enough of it: so every moment in between was met.
    assert {name for name in NAMES if outcomes[name] == {True, False}} == NAMES

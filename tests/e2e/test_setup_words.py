"""What the set-up says when a step of it fails."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SETUP = Path(__file__).resolve().parents[2] / "scripts" / "setup.sh"
UNREACHABLE = """Looking in indexes: https://index.example/simple
WARNING: Retrying after connection broken by 'NewConnectionError(... [Errno -2] Name or service not known')'
"""
NOTHING = "ERROR: Could not find a version that satisfies the requirement cmake==4.4.4 (from versions: none)\n"
BROKEN = "error: command 'c++' failed with exit code 1\n"


@pytest.mark.parametrize(
    ("said", "offline"),
    [(UNREACHABLE + NOTHING, True), (NOTHING, True), (BROKEN, False)],
    ids=["why", "no why", "other"],
)
def test_a_step_that_fails_without_a_network_says_so_in_one_line(tmp_path: Path, said: str, offline: bool) -> None:
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").symlink_to(sys.executable)
    (tmp_path / "said").write_text(said)
    step = 'log=log; device="the CPU"; : >log; run_step "installing packages" sh -c "cat said; exit 1"'
    script = f'set -eu; . "{SETUP}"; {step}'
    done = subprocess.run(["sh", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=30)
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    if offline:
        assert len(lines) == 1
        assert lines[0].startswith("playground: installing packages failed: the package index gave nothing.")
        assert "needs the network" in lines[0]
    else:
        assert lines[0] == BROKEN.strip() and "needs the network" not in done.stderr

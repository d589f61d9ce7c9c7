"""The first use of a model fetches it, and says so on standard error."""

import os
import pty

import pytest

from app.cli.fetching import ProgressLine, describe, duration, megabytes
from app.engine.progress import Progress

from .scripted import FINISHED, ScriptedBackend


@pytest.fixture
def near(home, starter_model):
    """The starter model comes from a file on this machine instead of the network."""
    (home / "model.gguf").hardlink_to(starter_model.resolve())
    (home / "config").mkdir()
    source = f"path:{home / 'model.gguf'}"
    (home / "config" / "models.toml").write_text(f'[models.smollm2-135m]\nsource = "{source}"\n')
    return home


def test_where_nobody_looks_it_is_a_few_plain_lines(run_cli, near):
    result = run_cli("chat", "Hi", backend=ScriptedBackend(["Hello.", FINISHED]))
    assert (result.exit_code, result.stdout) == (0, "Hello.\n")
    lines = result.stderr.splitlines()
    assert 1 <= len(lines) <= 4
    assert all(line.startswith("Fetching smollm2-135m: ") for line in lines)
    assert "\x1b" not in result.stderr
    assert run_cli("chat", "Hi", backend=ScriptedBackend(["Hello.", FINISHED])).stderr == ""


def test_a_terminal_sees_one_line_that_grows_and_goes(monkeypatch):
    face, terminal = pty.openpty()
    with os.fdopen(terminal, "w", encoding="utf-8") as errors:
        monkeypatch.setattr("sys.stderr", errors)
        line = ProgressLine("Fetching it")
        line.show(Progress("downloading", 50_000_000, 100_000_000, 5_000_000, 10))
        line.finish()
    painted = os.read(face, 4096).decode()
    os.close(face)
    assert "Fetching it  ████████████░░░░░░░░░░░░  50%  50.0 MB of 100.0 MB  5.0 MB/s  10 s left" in painted
    assert painted.endswith("\r\x1b[K")


def test_an_unknown_size_shows_what_came():
    assert describe(Progress("downloading", 2_000_000)) == "downloading 2.0 MB"


def test_other_stages_are_named():
    assert describe(Progress("verifying", 1, 1)).startswith("verifying  ███")


@pytest.mark.parametrize(
    ("seconds", "words"), [(5, "5 s"), (89, "89 s"), (90, "2 min"), (3600, "60 min"), (7200, "2.0 h")]
)
def test_durations(seconds, words):
    assert duration(seconds) == words


def test_sizes():
    assert (megabytes(98_362_432), megabytes(2_500_000_000)) == ("98.4 MB", "2.5 GB")

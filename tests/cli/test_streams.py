"""Terminals that are not told of Unicode get readable text, and never an error."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest

from app.cli.streams import make_readable


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("ascii", 'Cafe - "naive" -> it\'s ... ? ?'),
        ("latin-1", 'Café - "naïve" -> it\'s ... ? ?'),
        ("cp1252", "Café – “naïve” -> it’s … ? ?"),
        ("utf-8", "Café – “naïve” → it’s … 日 ?"),
    ],
)
def test_what_an_encoding_lacks_is_written_in_letters_that_it_has(encoding: str, shown: str) -> None:
    kept = io.BytesIO()
    stream = io.TextIOWrapper(kept, encoding=encoding, errors="strict")
    make_readable((stream, io.StringIO()))
    stream.write("Café – “naïve” → it’s … 日 \udcff")
    stream.flush()
    assert kept.getvalue().decode(encoding) == shown


def test_a_command_in_another_encoding_neither_fails_nor_shows_numbers(environ: dict[str, str], home: Path) -> None:
    (home / "config").mkdir()
    table = '[models.x]\nsource = "https://x.example/a.gguf"\ndescription = "“Größe” – 日本"\n'
    (home / "config" / "models.toml").write_text(table, encoding="utf-8")
    program = [sys.executable, "-m", "app"]
    chosen = {**environ, "PYTHONUTF8": "0", "PYTHONIOENCODING": "latin-1"}
    done = subprocess.run([*program, "models", "info", "x"], env=chosen, capture_output=True, timeout=60)
    assert done.returncode == 0
    assert 'description  "Größe" - ??' in done.stdout.decode("latin-1")
    assert done.stderr == b""


@pytest.mark.parametrize("shell", ["sessions list >&-", "sessions list <&- 2>&-", "models list >&- 2>&- <&-"])
def test_closed_streams_are_no_fault(environ: dict[str, str], shell: str) -> None:
    done = subprocess.run(
        f"exec '{sys.executable}' -m app {shell}", shell=True, env=environ, capture_output=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_behind_standard_output_is_told_in_one_line(environ: dict[str, str]) -> None:
    command = f"exec '{sys.executable}' -m app models list >/dev/full"
    done = subprocess.run(command, shell=True, env=environ, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr == "playground: What was to be printed could not be written: No space left on device.\n"

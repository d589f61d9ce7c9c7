"""Nothing that a person says, or is told, lies readable on the disk: not while it runs, not after, not after a kill."""

from __future__ import annotations

import base64
import os
import secrets
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


def disguises(secret: str) -> set[bytes]:
    """The bytes by which a secret would be known: as text in three encodings, and inside base64 at each alignment."""
    raw = secret.encode()
    found = {raw, raw.upper(), secret.encode("utf-16-le"), secret.encode("utf-16-be"), raw.hex().encode()}
    for lead in range(3):
        # What surrounds it changes the first and the last letters of base64 only.
        coded = base64.b64encode(b"\0" * lead + raw).rstrip(b"=")
        found.add(coded[4:-2])
    return found


def leaks(folders: Iterable[Path], planted: list[str]) -> list[str]:
    """Every place where a planted secret lies readable; file names are places too."""
    known = [(secret, form) for secret in planted for form in disguises(secret)]
    found = []
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            content = path.read_bytes() if path.is_file() else b""
            haystack = os.fsencode(str(path.relative_to(folder))) + b"\n" + content
            found += [f"{path}: {secret}" for secret, form in known if form in haystack]
    return found


@pytest.fixture
def planted() -> list[str]:
    return [
        f"{word}{secrets.token_hex(12)}" for word in ("Sesame", "alpha", "Zebra", "quiet", "Lisbon") for _ in range(11)
    ]


def start(home: Path, temporary: Path, planted: list[str]) -> subprocess.Popen[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PLAYGROUND_")}
    program = subprocess.Popen(
        [sys.executable, "-m", "tests.vault.programs.secretive", str(home)],
        cwd=REPOSITORY,
        env={**environ, "TMPDIR": str(temporary), "SQLITE_TMPDIR": str(temporary), "HOME": str(home / "person")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert program.stdin is not None and program.stdout is not None
    program.stdin.write("\n".join(planted))
    program.stdin.close()
    assert program.stdout.readline() == "kept\n", program.stderr.read() if program.stderr else ""
    return program


def test_no_planted_secret_is_found_while_running_nor_after(home, tmp_path, planted):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    program = start(home, temporary, planted)
    try:
        log = next(home.rglob("vault.db-wal"))
        assert log.stat().st_size > 4096  # there is something in it to be found
        assert len(list(home.rglob("*.backup"))) == 1
        assert leaks([home, temporary], planted) == []
    finally:
        program.kill()
        assert program.stdout is not None and program.stderr is not None
        output, errors = program.stdout.read(), program.stderr.read()
        program.wait()
    assert leaks([home, temporary], planted) == []
    assert not any(secret in output + errors for secret in planted)


def test_the_search_finds_what_is_there(tmp_path, planted):
    # The control: without it, a search that finds nothing would show nothing.
    (tmp_path / "plain.txt").write_text(f"said: {planted[0]}.")
    (tmp_path / "wide.bin").write_bytes(f"said: {planted[1]}.".encode("utf-16"))
    for lead in range(3):
        (tmp_path / f"mail{lead}.txt").write_bytes(base64.b64encode(b"x" * lead + planted[2 + lead].encode() + b"..."))
    (tmp_path / planted[6]).mkdir()
    found = leaks([tmp_path], planted)
    assert {planted[number] for number in (0, 1, 2, 3, 4, 6)} == {line.rpartition(" ")[2] for line in found}

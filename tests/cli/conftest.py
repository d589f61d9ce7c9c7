"""The command line on parts of the tests' own, and the real program in a process."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli.main import cli

from .scripted import PLAYGROUND, ScriptedBackend, ScriptedSession, Step


@pytest.fixture
def run_cli(environ) -> Callable[..., Result]:
    """Runs a command in this process on the test's own home."""

    def run(*args: str, steps: Sequence[Step] = (), backend: ScriptedBackend | None = None, piped: bytes = b""):
        session = ScriptedSession(environ, backend or ScriptedBackend(steps))
        return CliRunner().invoke(cli, list(args), obj=session, input=piped, prog_name="playground")

    return run


@pytest.fixture
def start(environ):
    """Starts the real program in a process of its own."""
    started: list[subprocess.Popen[bytes]] = []

    def run(*args: str, **more: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [*PLAYGROUND, *args],
            env={**environ, **more},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        )
        started.append(process)
        return process

    yield run
    for process in started:
        with suppress(ProcessLookupError):
            process.kill()
        process.communicate()

"""What the tests of the cache and of the notes share: a real vault, and a backend that says what a test wrote down."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path

import pytest

from app.messages import Delta
from app.routing.answering import Answering
from app.vault import Vault

REDIS_PASSWORD = "s3kr1t-of-redis"


@pytest.fixture
async def vault(tmp_path: Path) -> AsyncIterator[Vault]:
    folder = tmp_path / "data"
    folder.mkdir()
    made = Vault(folder, folder / "backups")
    await made.open()
    yield made
    await made.close()


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory) -> Iterator[str]:
    """A Redis of the test's own, with a password."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed; Debian's package of that name has it")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("redis")
    words = f"--port {port} --bind 127.0.0.1 --save --appendonly no --requirepass {REDIS_PASSWORD}".split()
    process = subprocess.Popen([program, *words, "--dir", str(folder)], stdout=subprocess.DEVNULL)
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 0.1).close()
            break
        except OSError:
            time.sleep(0.05)
    yield f"redis://:{REDIS_PASSWORD}@127.0.0.1:{port}/0"
    process.terminate()
    process.wait(10)


async def answer(router: Answering, request) -> list[Delta]:
    async with aclosing(router.stream(request)) as deltas:
        return [delta async for delta in deltas]


def open_vault(vault: Vault):
    return lambda: vault if vault.database.is_open else None

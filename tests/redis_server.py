"""A Redis of the tests' own, with a password."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PASSWORD = "s3kr1t-of-redis"


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """Its address, for the block; the test is skipped where there is no Redis."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed; Debian's package of that name has it")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = f"--port {port} --bind 127.0.0.1 --save --appendonly no --requirepass {PASSWORD}".split()
    process = subprocess.Popen([program, *words, "--dir", str(folder)], stdout=subprocess.DEVNULL)
    try:
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port), 0.1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield f"redis://:{PASSWORD}@127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait(10)

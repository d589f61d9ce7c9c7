"""A Python package index on a loopback port, with wheels that hold what a test puts into them."""

from __future__ import annotations

import os
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest


@dataclass
class PackageIndex:
    """What the index does; a test changes it between requests.

    Attributes:
        wheels: the bytes of each wheel by its file name.
        fetched: the names of the wheels that were asked for, in order.
        broken: names of wheels that are answered with an error.
        stuck: names of wheels that are begun and never sent to their end.
    """

    wheels: dict[str, bytes] = field(default_factory=dict)
    fetched: list[str] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    stuck: set[str] = field(default_factory=set)

    def add(self, folder: Path, package: str, files: Mapping[str, bytes]) -> str:
        """Makes version 1.0 of a package; gives its wheel's name."""
        name = package.replace("-", "_")
        wheel = folder / f"{name}-1.0-py3-none-any.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            for path, content in files.items():
                archive.writestr(path, content)
            archive.writestr(
                f"{name}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n"
            )
            archive.writestr(
                f"{name}-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            )
            archive.writestr(f"{name}-1.0.dist-info/RECORD", "")
        self.wheels[wheel.name] = wheel.read_bytes()
        return wheel.name


@contextmanager
def package_index(patch: pytest.MonkeyPatch) -> Iterator[PackageIndex]:
    """A running index that pip is told to use, and nothing else."""
    index = PackageIndex()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.rpartition("/")[2]
            if name in index.wheels:
                index.fetched.append(name)
                self.answer(404 if name in index.broken else 200, index.wheels[name], "application/octet-stream")
                return
            package = self.path.strip("/").rpartition("/")[2].replace("-", "_")
            links = [f'<a href="/{wheel}">{wheel}</a>' for wheel in index.wheels if wheel.startswith(f"{package}-")]
            self.answer(200, "".join(links).encode(), "text/html")

        def answer(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.path.rpartition("/")[2] in index.stuck:
                self.wfile.write(body[:10])
                self.connection.recv(1)  # until whoever asked goes away
                return
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for name in list(os.environ):
        if name.startswith("PIP_"):
            patch.delenv(name)
    patch.setenv("PIP_CONFIG_FILE", os.devnull)
    patch.setenv("PIP_NO_CACHE_DIR", "1")
    patch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_port}/simple/")
    yield index
    server.shutdown()
    server.server_close()

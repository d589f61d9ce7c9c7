"""The server as it runs: its socket, its start, its end."""

from __future__ import annotations

import asyncio
import gc
import ipaddress
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.types import ASGIApp

from app.errors import SettingsError

from .slow_clients import timed

_BACKLOG = 2048
_YOUNG = 5000
"""Objects made, beyond those freed, until the young are collected: a request makes some hundreds, nearly all freed."""
_SWITCH_S = 0.001


def loopback(host: str) -> bool:
    """Whether only this machine can reach ``host``."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Args:
        host: an address or a name.
        port: 0 takes a free one.

    Raises:
        SettingsError: when the address cannot be used.
    """
    try:
        found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _name, address = found[0]
        made = socket.socket(family, kind, protocol)
        try:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind(address)
            made.listen(_BACKLOG)
        except OSError:
            made.close()
            raise
    except OSError as error:
        raise SettingsError(
            f"The server cannot listen on {host}, port {port}: {error.strerror or error}.",
            "Choose another with --port; `--port 0` takes a free one.",
        ) from error
    made.setblocking(False)
    return made


def settle_memory() -> None:
    """Keeps what a start has made out of Python's later collections: a full one took 60 to 80 ms, felt by who asked.

    And has threads that write notes and lines give way to the loop sooner than Python's 5 ms, for the same reason. Call
    it once, when everything is made, in a process that does nothing but serve.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, 20, 50)
    sys.setswitchinterval(_SWITCH_S)


class Serving:
    """A server that answers until it is told to stop.

    Args:
        app: what answers.
        listening: the socket, from ``listen``; closed at the end.
        shutdown_s: seconds that answers may still run at the end; then they are cut.
        head_s: seconds in which the head of a request must arrive.
        head_bytes: the largest head.
    """

    def __init__(
        self,
        app: ASGIApp,
        listening: socket.socket,
        *,
        shutdown_s: float = 10.0,
        head_s: float = 15.0,
        head_bytes: int = 64 * 1024,
    ) -> None:
        self._socket = listening
        self._server = _Server(
            uvicorn.Config(
                app,
                # uvloop connects past the guard of local-only mode, and wants no place here.
                loop="asyncio",
                http=timed(head_s, head_bytes),
                ws="websockets-sansio",
                lifespan="off",
                access_log=False,
                log_config=None,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=75,
                timeout_graceful_shutdown=max(1, round(shutdown_s)),
                ws_max_size=16 * 1024 * 1024,
            )
        )

    @property
    def address(self) -> str:
        """``http://host:port``, as a program on this machine reaches it."""
        host, port = self._socket.getsockname()[:2]
        if ipaddress.ip_address(host).is_unspecified:
            host = "127.0.0.1" if self._socket.family == socket.AF_INET else "::1"
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def run(self) -> None:
        """Answers until ``stop``, or until this is cancelled; running answers are given their time either way."""
        serving = asyncio.ensure_future(self._server.serve(sockets=[self._socket]))
        try:
            await asyncio.shield(serving)
        except asyncio.CancelledError:
            self.stop()
            await serving
            raise
        finally:
            self._socket.close()

    def stop(self) -> None:
        """Takes no new connection, lets answers end, cuts those that take too long."""
        self._server.should_exit = True

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """Answers for as long as the block lasts; gives the address."""
        task = asyncio.ensure_future(self.run())
        try:
            # The socket listens already: who connects before the first turn of the server is answered then.
            yield self.address
        finally:
            self.stop()
            await task


class _Server(uvicorn.Server):
    """Signals belong to the program, not to its server."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves them as they are."""
        yield

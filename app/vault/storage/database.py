"""Asynchronous access to the open vault: one writer, readers beside it, each in a thread of its own.

The event loop never waits for the disk. A write is one transaction, on the disk when it is acknowledged; writes happen
in the order in which they were asked for. Readers see the last committed state and never wait for the writer.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from app.errors import VaultLockedError

from .cipher import connect, translated

if TYPE_CHECKING:
    from sqlcipher3.dbapi2 import Connection

T = TypeVar("T")

_READERS = 2


class Lane:
    """One connection and the only thread that uses it."""

    def __init__(self, path: Path, connection: Connection, name: str) -> None:
        self._path, self._connection = path, connection
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._running: object | None = None
        self._switching = threading.Lock()
        self.waiting = 0

    async def run(self, work: Callable[[Connection], T], *, interruptible: bool = False) -> T:
        """Runs ``work`` in the thread. Cancelling the caller stops a query that is ``interruptible``; a write goes on.

        Raises:
            VaultError: for what SQLite refuses.
        """
        ours = object()

        def in_thread() -> T:
            with self._switching:
                self._running = ours
            try:
                with translated(self._path):
                    return work(self._connection)
            finally:
                with self._switching:
                    self._running = None

        self.waiting += 1
        submitted = self._thread.submit(in_thread)
        future = asyncio.wrap_future(submitted)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            future.add_done_callback(_seen)
            if interruptible and not submitted.cancel():
                self._interrupt(ours)
            raise
        finally:
            self.waiting -= 1

    def _interrupt(self, work: object) -> None:
        """Stops a query, if it is that one which runs: never the next one's, which somebody waits for."""
        with self._switching:
            if self._running is work:
                self._connection.interrupt()

    async def close(self) -> None:
        """Waits for what is under way, then closes the connection."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._connection.close)
        self._thread.shutdown(wait=False)


class Database:
    """The open vault's connections.

    Repositories hold one of these for the life of the program; while the vault is locked every call raises
    ``VaultLockedError``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writer: Lane | None = None
        self._readers: tuple[Lane, ...] = ()
        self._pause: asyncio.Event | None = None

    @property
    def is_open(self) -> bool:
        """Whether there is anything to talk to."""
        return self._writer is not None

    def attach(self, writer: Connection, key: bytes) -> None:
        """Takes the connection that was opened first for writing, and opens those for reading."""
        readers: list[Connection] = []
        try:
            for _ in range(_READERS):
                readers.append(connect(self.path, key))
                readers[-1].execute("PRAGMA query_only = ON")
        except BaseException:
            for connection in (*readers, writer):
                connection.close()
            raise
        self._readers = tuple(Lane(self.path, reader, "vault-read") for reader in readers)
        self._writer = Lane(self.path, writer, "vault-write")

    async def detach(self) -> None:
        """Finishes what is under way and closes every connection. Safe to call when nothing is open."""
        lanes = (*self._readers, self._writer)
        self._writer, self._readers = None, ()
        # The writer last: SQLite folds the write-ahead log into the database when its last connection closes.
        for lane in lanes:
            if lane is not None:
                await lane.close()

    @asynccontextmanager
    async def replaced(self) -> AsyncIterator[None]:
        """Closes every connection while the file itself is replaced; who reads or writes meanwhile waits."""
        self._pause = asyncio.Event()
        try:
            await self.detach()
            yield
        finally:
            self._pause.set()
            self._pause = None

    async def _unpaused(self) -> None:
        while self._pause is not None:
            await self._pause.wait()

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Runs ``work`` in one transaction. When this returns, what it wrote survives a loss of power.

        Raises:
            DiskFullError: when there is no room; nothing of ``work`` is kept then.
            VaultError: for what else SQLite refuses.
        """
        return await self.exclusively(lambda connection: _in_transaction(connection, work))

    async def exclusively(self, work: Callable[[Connection], T]) -> T:
        """Runs ``work`` on the writing connection, outside a transaction, while no other write happens."""
        await self._unpaused()
        if self._writer is None:
            raise _locked()
        return await self._writer.run(work)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Runs ``work`` beside the writer. Cancelling the caller interrupts it.

        Raises:
            VaultError: for what SQLite refuses.
        """
        await self._unpaused()
        if not self._readers:
            raise _locked()
        return await min(self._readers, key=lambda lane: lane.waiting).run(work, interruptible=True)


def _in_transaction(connection: Connection, work: Callable[[Connection], T]) -> T:
    connection.execute("BEGIN IMMEDIATE")
    try:
        found = work(connection)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return found


def _locked() -> VaultLockedError:
    return VaultLockedError("The vault is locked.", "Unlock it with your passphrase.")


def _seen(future: asyncio.Future[Any]) -> None:
    """Nobody waits for this result any more; its error, an interruption, is of no interest."""
    with suppress(asyncio.CancelledError):
        future.exception()

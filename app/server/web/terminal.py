"""A program in a pseudo-terminal of its own, for whoever shows what it paints and sends what is typed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import termios
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from types import TracebackType

_AT_ONCE = 64 * 1024
_HANGUP_S = 3.0
"""How long the program may take to leave when its terminal is gone, before it is made to."""

_LEAST, _MOST = 2, 1000
"""Cells, in either direction: what a page says of its size is not to be believed without limits."""


class Terminal:
    """A running program and the terminal that it believes to be in. Open it with ``async with``.

    Args:
        command: the program and its arguments.
        environ: of the program; ``TERM`` and ``COLORTERM`` are set as xterm.js is.
        columns, rows: the size in cells.
    """

    def __init__(self, command: Sequence[str], environ: Mapping[str, str], columns: int, rows: int) -> None:
        self._command = tuple(command)
        self._environ = {**environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        self._size = columns, rows
        self._controls = -1

    async def __aenter__(self) -> Terminal:
        """Starts the program.

        Raises:
            OSError: when there is no terminal to be had, or the program cannot be started.
        """
        self._controls, shown = os.openpty()
        try:
            self.resize(*self._size)
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                env=self._environ,
                stdin=shown,
                stdout=shown,
                stderr=shown,
                # The session and its controlling terminal, so that the program hears of sizes and of the end.
                preexec_fn=partial(os.login_tty, shown),
            )
            await self._open_pipes()
        except BaseException:
            os.close(self._controls)
            raise
        finally:
            os.close(shown)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """Hangs up, which the kernel tells the program (SIGHUP); one that does not leave is made to."""
        self._from.close()
        self._to.abort()
        try:
            async with asyncio.timeout(_HANGUP_S):
                await self._process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()

    async def painted(self) -> AsyncIterator[bytes]:
        """What the program writes, as it comes, until it ends. Nothing more is read while nobody takes it."""
        while True:
            try:
                data = await self._reader.read(_AT_ONCE)
            except OSError:
                return  # Linux says so when the last program has closed the terminal
            if not data:
                return
            yield data

    async def type(self, text: str) -> None:
        """Sends what is typed or pasted; waits while the program does not read."""
        self._to.write(text.encode("utf-8", "replace"))
        await self._writing.drain()

    def resize(self, columns: int, rows: int) -> None:
        """Tells the program how large its terminal is now."""
        termios.tcsetwinsize(self._controls, (_bounded(rows), _bounded(columns)))

    async def _open_pipes(self) -> None:
        loop = asyncio.get_running_loop()
        self._reader = asyncio.StreamReader(limit=_AT_ONCE)
        reading = asyncio.StreamReaderProtocol(self._reader)
        self._from, _ = await loop.connect_read_pipe(lambda: reading, os.fdopen(self._controls, "rb", 0))
        self._to, flow = await loop.connect_write_pipe(
            lambda: asyncio.streams.FlowControlMixin(loop), os.fdopen(os.dup(self._controls), "wb", 0)
        )
        self._writing = asyncio.StreamWriter(self._to, flow, None, loop)


def _bounded(cells: int) -> int:
    return max(_LEAST, min(_MOST, cells))

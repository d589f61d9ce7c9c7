"""The child process itself: its pipes, its frames cut out of the stream, its end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
from collections.abc import Callable, Sequence

from app.engine import frames
from app.engine.frames import Event, FrameError

from .log import WorkerLog

_LAST_WORDS_SECONDS = 1.0
"""How long after a child's end its pipes are still read: a child of its own may hold them open."""

_READ_BYTES = 256 * 1024


class Child(asyncio.SubprocessProtocol):
    """The pipes of a child process.

    Frames are cut and decoded right where bytes arrive, from a pipe of our own: asyncio's would cost one more turn
    of the event loop a frame, and a stream reader with a task two.

    Args:
        receive: called with each event.
        log: takes the child's stderr.
        mourn: called once when the child is gone and its pipes are read to their ends, with how it ended.
    """

    def __init__(self, receive: Callable[[Event], None], log: WorkerLog, mourn: Callable[[str], None]) -> None:
        self._receive, self._log, self._mourn = receive, log, mourn
        self._transport: asyncio.SubprocessTransport | None = None
        self._stdin: asyncio.WriteTransport | None = None
        self._buffer = bytearray()
        self._wanted = 0
        self._fault = ""
        self._stdout = -1
        self._drained = asyncio.Event()
        self._drained.set()
        self.pid: int | None = None
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def start(self, command: Sequence[str]) -> None:
        """Starts the child, with a session of its own.

        Raises:
            OSError: when the program cannot be run.
        """
        loop = asyncio.get_running_loop()
        self._stdout, target = os.pipe()
        os.set_blocking(self._stdout, False)
        loop.add_reader(self._stdout, self._read)
        try:
            await loop.subprocess_exec(lambda: self, *command, stdout=target, start_new_session=True)
        except BaseException:
            self._close_stdout()
            raise
        finally:
            os.close(target)

    def send(self, data: bytes) -> None:
        """Puts bytes on the way to the child; those to a dead one are lost."""
        if self._stdin is not None and not self._stdin.is_closing():
            self._stdin.write(data)

    async def drained(self) -> None:
        """Waits until little is on the way to the child, or it is gone: what is sent in pieces should not pile up."""
        await self._drained.wait()

    def close_stdin(self) -> None:
        """Says that nothing more comes."""
        if self._stdin is not None:
            self._stdin.close()

    def kill(self) -> None:
        """Ends the child at once."""
        if self._transport is not None:
            with contextlib.suppress(ProcessLookupError):
                self._transport.kill()
        elif not self.gone.done():
            self.gone.set_result(None)

    # asyncio.SubprocessProtocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The child runs."""
        assert isinstance(transport, asyncio.SubprocessTransport)
        self._transport, self.pid = transport, transport.get_pid()
        stdin = transport.get_pipe_transport(0)
        assert isinstance(stdin, asyncio.WriteTransport)
        self._stdin = stdin

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """The child wrote to its stderr."""
        # A log that cannot be written must not stop the answers; what it held is still in the error message.
        with contextlib.suppress(OSError):
            self._log.write(data)

    def pause_writing(self) -> None:
        """The child takes what it is sent more slowly than it comes."""
        self._drained.clear()

    def resume_writing(self) -> None:
        """The child has taken most of it."""
        self._drained.set()

    def process_exited(self) -> None:
        """The child ended; its pipes may still hold its last words."""
        if not self.gone.done():
            asyncio.get_running_loop().call_later(_LAST_WORDS_SECONDS, self._end)

    def connection_lost(self, exc: Exception | None) -> None:
        """The child ended and its pipes are empty."""
        self._end()

    def _read(self) -> None:
        """The child said something, or closed its stdout: without that it is of no use."""
        try:
            data = os.read(self._stdout, _READ_BYTES)
        except BlockingIOError:
            return
        if not data:
            self._close_stdout()
            # Not at once: when the child is just ending, how it ended by itself is worth knowing.
            asyncio.get_running_loop().call_later(_LAST_WORDS_SECONDS, self.kill)
            return
        try:
            self._cut(data)
        except FrameError as error:
            self._fault = f"said what is not a frame ({error})"
            self._close_stdout()
            self.kill()

    def _close_stdout(self) -> None:
        if self._stdout >= 0:
            asyncio.get_running_loop().remove_reader(self._stdout)
            os.close(self._stdout)
            self._stdout = -1

    def _cut(self, data: bytes) -> None:
        if self._buffer:
            self._buffer += data
            if len(self._buffer) < self._wanted:
                return
            data = bytes(self._buffer)
            self._buffer.clear()
        self._wanted = 0
        start, size = 0, len(data)
        while size - start >= frames.HEADER_BYTES:
            body = start + frames.HEADER_BYTES
            end = body + frames.body_length(data[start:body])
            if end > size:
                self._wanted = end - start
                break
            self._receive(frames.decode_event(data[body:end]))
            start = end
        self._buffer += data[start:]

    def _end(self) -> None:
        if self.gone.done():
            return
        while self._stdout >= 0 and not self._fault and select.select([self._stdout], [], [], 0)[0]:
            self._read()
        self._close_stdout()
        self._drained.set()
        self.gone.set_result(None)
        status = self._transport.get_returncode() if self._transport else None
        if self._transport is not None:
            self._transport.close()
        self._mourn(self._fault or _described(status))


def _described(status: int | None) -> str:
    if status is None:
        return "closed its pipes"
    if status >= 0:
        return f"ended with status {status}"
    try:
        return f"was killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"was killed by signal {-status}"

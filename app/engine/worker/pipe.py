"""The worker's end of the pipe."""

from __future__ import annotations

import os
import sys
import threading

from app.engine import frames
from app.engine.frames import Event


class FramePipe:
    """Reads frames from one descriptor and writes events to another; writing is safe from any thread."""

    def __init__(self, source: int, target: int) -> None:
        self._source, self._target = source, target
        self._writing = threading.Lock()

    @classmethod
    def over_stdio(cls) -> FramePipe:
        """Takes stdin and stdout for frames alone: what native code prints from now on goes to stderr."""
        source, target = os.dup(0), os.dup(1)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(2, 1)
        sys.stdout = sys.stderr
        return cls(source, target)

    def read(self) -> bytes | None:
        """The body of the next frame; None when the other side has closed.

        Raises:
            FrameError: when the stream does not hold a frame.
        """
        header = self._read_exactly(frames.HEADER_BYTES)
        return None if header is None else self._read_exactly(frames.body_length(header))

    def write(self, event: Event) -> None:
        """Sends an event, whole.

        Raises:
            BrokenPipeError: when nobody reads any more.
        """
        data = memoryview(frames.encode(event))
        with self._writing:
            while data:
                data = data[os.write(self._target, data) :]

    def _read_exactly(self, count: int) -> bytes | None:
        found = bytearray()
        while len(found) < count:
            more = os.read(self._source, count - len(found))
            if not more:
                return None
            found += more
        return bytes(found)

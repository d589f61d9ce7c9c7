"""What a worker writes to its stderr: kept in a file of bounded size, its end in memory for error messages."""

from __future__ import annotations

import codecs
from pathlib import Path

from app.privacy.terminal import clean

MAX_BYTES = 256 * 1024
"""A log file that grows beyond this is put aside as ``….1``, in place of the one before."""

_TAIL_CHARACTERS = 4000


class WorkerLog:
    """The log of one model's workers. Nothing is opened before there is something to write.

    A worker writes what the native library warns of and, when it fails, a traceback; never a prompt or an answer.

    Args:
        path: the file; its folder is made when it is first needed.
    """

    def __init__(self, path: Path, max_bytes: int = MAX_BYTES) -> None:
        self.path = path
        self._max_bytes = max_bytes
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._tail = ""

    def write(self, data: bytes) -> None:
        """Appends raw bytes; control characters become visible, so that the file is safe to print.

        Raises:
            OSError: when the file cannot be written; the end of the text is remembered all the same.
        """
        text = clean(self._decode(data))
        self._tail = (self._tail + text)[-_TAIL_CHARACTERS:]
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.path.exists() and self.path.stat().st_size + len(text) > self._max_bytes:
            self.path.replace(self.path.with_name(self.path.name + ".1"))
        with self.path.open("a", encoding="utf-8") as file:
            file.write(text[-self._max_bytes :])

    def tail(self, lines: int = 3) -> str:
        """The last lines that are not empty, joined by `` | ``."""
        found = [line.strip() for line in self._tail.splitlines() if line.strip()]
        return " | ".join(found[-lines:])

    def forget(self) -> None:
        """Begins a new worker: the tail of the one before is none of its."""
        self._tail = ""

"""The real program in a real terminal, and what a person would see there."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import pexpect
import pyte

ROOT = Path(__file__).parents[2]


class Screen:
    """A running program, its keys, and the text on its screen."""

    def __init__(self, command: list[str], environ: Mapping[str, str], rows: int, columns: int) -> None:
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self.raw = b""
        self._ended = False
        self.program = pexpect.spawn(
            command[0],
            command[1:],
            env={**environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"},
            dimensions=(rows, columns),
            cwd=ROOT,
            timeout=5,
            use_poll=True,  # select() cannot wait on descriptors from 1,024 on
        )

    @property
    def text(self) -> str:
        """The screen, a line a row."""
        return "\n".join(line.rstrip() for line in self._screen.display)

    def cells(self, row: int) -> list[pyte.screens.Char]:
        """What stands in each column of a row, and in which colours."""
        line = self._screen.buffer[row]
        return [line[column] for column in range(self._screen.columns)]

    def press(self, keys: str) -> None:
        """Types."""
        self.program.send(keys)

    def look(self, seconds: float = 0.2) -> str:
        """Takes in what is painted within ``seconds``; gives the screen."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                more = self.program.read_nonblocking(1 << 16, timeout=0.05)
            except pexpect.TIMEOUT:
                continue
            except pexpect.EOF:
                self._ended = True
                break
            self.raw += more
            self._stream.feed(more)
        return self.text

    def wait_for(self, words: str, seconds: float = 20, *, gone: bool = False) -> str:
        """Waits until ``words`` are on the screen (or no more)."""
        end = time.monotonic() + seconds
        while (words in self.look(0.1)) == gone:
            late = self._ended or time.monotonic() >= end
            assert not late, f"{words!r} did not {'go' if gone else 'come'}:\n{self.text}"
        return self.text


@contextlib.contextmanager
def showing(command: list[str], environ: Mapping[str, str], rows: int = 24, columns: int = 80) -> Iterator[Screen]:
    """What a command shows in a terminal; ended at the end whatever happened."""
    screen = Screen(command, {**os.environ, **environ}, rows, columns)
    try:
        yield screen
    finally:
        screen.program.close(force=True)


def running(
    arguments: list[str], environ: Mapping[str, str], rows: int = 24, columns: int = 80
) -> AbstractContextManager[Screen]:
    """``showing`` of the program itself."""
    return showing([sys.executable, "-m", "app", *arguments], environ, rows, columns)

"""Events from bytes: server-sent events and JSON lines, put together however they were split.

https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
"""

from __future__ import annotations

from typing import Protocol

from app.errors import StreamBrokenError

MOST_BYTES = 32 * 1024 * 1024
"""The longest event: a picture in base64 fits."""


class EventParser(Protocol):
    """Takes bytes as they come, gives the data of each event that is whole."""

    def feed(self, piece: bytes) -> list[bytes]:
        """The events that ``piece`` completes.

        Raises:
            StreamBrokenError: one is longer than can be.
        """
        ...

    def finish(self) -> list[bytes]:
        """What is left when the bytes end: an event whose end was not sent, if it has any data."""
        ...


class SseParser:
    """Server-sent events. Their names are not given: every provider says the kind of an event within its data too."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._rest: list[bytes] = []
        """Pieces of a line that has not ended yet; they are joined when it has, so that a long one is copied once."""
        self._data: list[bytes] = []
        self._size = 0
        """Of both."""
        self._most = most
        self._head: bytes | None = b""
        self._half = False
        """Whether the last byte was a carriage return, which may be half of a line's end."""

    def feed(self, piece: bytes) -> list[bytes]:
        """See ``EventParser``."""
        if self._head is not None:
            piece = self._head + piece
            if piece in (b"", b"\xef", b"\xef\xbb"):
                self._head = piece
                return []
            self._head = None
            piece = piece.removeprefix(b"\xef\xbb\xbf")
        if not piece:
            return []
        if self._half or b"\r" in piece:
            piece = self._with_line_feeds(piece)
        if b"\n" not in piece:
            self._rest.append(piece)
            self._size += len(piece)
            self._check()
            return []
        lines = piece.split(b"\n")
        rest = lines.pop()
        if self._rest:
            lines[0] = b"".join((*self._rest, lines[0]))
        events: list[bytes] = []
        for line in lines:
            if line.startswith(b"data:"):
                self._data.append(line[6:] if line.startswith(b" ", 5) else line[5:])
            elif not line and self._data:
                events.append(self._data[0] if len(self._data) == 1 else b"\n".join(self._data))
                self._data = []
        self._rest = [rest] if rest else []
        self._size = len(rest) + sum(map(len, self._data)) if self._data else len(rest)
        self._check()
        return events

    def finish(self) -> list[bytes]:
        """See ``EventParser``."""
        return self.feed(b"\n\n")

    def _with_line_feeds(self, piece: bytes) -> bytes:
        """The piece with one line feed for each of the three ends of a line; one that may be half waits."""
        if self._half and not piece.startswith(b"\n"):
            piece = b"\n" + piece
        self._half = piece.endswith(b"\r")
        if self._half:
            piece = piece[:-1]
        return piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _check(self) -> None:
        if self._size > self._most:
            raise too_long(self._most)


class LinesParser:
    """JSON lines, as Ollama streams them."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._rest: list[bytes] = []
        self._size = 0
        self._most = most

    def feed(self, piece: bytes) -> list[bytes]:
        """See ``EventParser``."""
        if b"\n" not in piece:
            self._rest.append(piece)
            self._size += len(piece)
            if self._size > self._most:
                raise too_long(self._most)
            return []
        first, *lines = piece.split(b"\n")
        found = [b"".join((*self._rest, first)), *lines]
        rest = found.pop()
        self._rest, self._size = [rest], len(rest)
        return [line for line in found if line.strip()]

    def finish(self) -> list[bytes]:
        """See ``EventParser``."""
        return self.feed(b"\n")


def too_long(most: int) -> StreamBrokenError:
    """That an event is longer than ``most`` bytes."""
    return StreamBrokenError(f"The remote model sent an event of more than {most:,} bytes.")

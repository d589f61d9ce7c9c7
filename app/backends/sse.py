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
        self._rest = b""
        self._searched = 0
        self._data: list[bytes] = []
        self._size = 0
        self._most = most
        self._began = False

    def feed(self, piece: bytes) -> list[bytes]:
        """See ``EventParser``."""
        rest = self._rest + piece if self._rest else piece
        if not self._began:
            if rest in (b"", b"\xef", b"\xef\xbb"):
                self._rest = rest
                return []
            self._began = True
            rest = rest.removeprefix(b"\xef\xbb\xbf")
        if b"\r" in rest:
            # A carriage return at the very end may be half of a line's end.
            held = b"\r" if rest.endswith(b"\r") else b""
            rest = rest[: len(rest) - len(held)].replace(b"\r\n", b"\n").replace(b"\r", b"\n") + held
        # What was looked through before for a line's end is not looked through again.
        if rest.find(b"\n", self._searched) < 0:
            return self._keep(rest, [])
        *lines, rest = rest.split(b"\n")
        events: list[bytes] = []
        for line in lines:
            if line.startswith(b"data:"):
                data = line[6:] if line.startswith(b" ", 5) else line[5:]
                self._data.append(data)
                self._size += len(data)
            elif not line and self._data:
                events.append(self._event())
        return self._keep(rest, events)

    def finish(self) -> list[bytes]:
        """See ``EventParser``."""
        events = self.feed(b"\n\n") if self._rest or self._data else []
        self._rest = b""
        return events

    def _event(self) -> bytes:
        data = self._data[0] if len(self._data) == 1 else b"\n".join(self._data)
        self._data, self._size = [], 0
        return data

    def _keep(self, rest: bytes, events: list[bytes]) -> list[bytes]:
        if len(rest) + self._size > self._most:
            raise too_long(self._most)
        self._rest = rest
        self._searched = len(rest) - 1 if rest.endswith(b"\r") else len(rest)
        return events


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

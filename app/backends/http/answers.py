"""What comes back from a request, whichever version of HTTP brought it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from app.errors import RemoteError


class Answer(Protocol):
    """An answer whose head has come and whose body is coming.

    Attributes:
        status: of the answer.
        headers: with lower-case names.
    """

    status: int
    headers: Mapping[str, str]

    async def more(self) -> bytes:
        """The next bytes of the body, as soon as there are some; empty at its end.

        Raises:
            RemoteError: it broke off or took too long.
        """
        ...

    async def close(self) -> None:
        """Ends it. The connection is kept for the next request if the body was read to its end, else closed at once."""
        ...


class Wire(Protocol):
    """Connections of one version of HTTP."""

    async def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, deadline: float
    ) -> Answer:
        """Sends a request; returns when the head of the answer has come. Redirects are not followed.

        Args:
            method: of HTTP.
            url: where to.
            headers: all but those of the connection itself.
            body: its bytes.
            deadline: when the answer must be whole, by the running loop's clock.

        Raises:
            RemoteError: there is none.
        """
        ...

    async def aclose(self) -> None:
        """Closes every connection. Safe to call twice."""
        ...


async def whole(answer: Answer, most: int, *, cut: bool = False) -> bytes:
    """The whole body.

    Args:
        answer: read to its end; not closed here.
        most: bytes.
        cut: give the first ``most`` bytes of a longer one, and leave the rest unread.

    Raises:
        RemoteError: it broke off, or is longer.
    """
    pieces: list[bytes] = []
    size = 0
    while piece := await answer.more():
        pieces.append(piece)
        size += len(piece)
        if size > most:
            if cut:
                break
            raise RemoteError(f"The remote model's answer is longer than {most:,} bytes, and was not read further.")
    return b"".join(pieces)[:most]

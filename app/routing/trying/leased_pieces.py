"""The body of an answer that passes through, for as long as it runs."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

from app.errors import PlaygroundError, RemoteError, StreamBrokenError

from .replicas import Lease


class LeasedPieces(AsyncGenerator[bytes, None]):
    """Pieces that keep their replica's lease until they end, fail or are closed, also when nobody has begun to read.

    A plain generator would not do: closing one that was never begun runs nothing of it.

    Args:
        pieces: of the backend.
        lease: given back once.
    """

    def __init__(self, pieces: AsyncGenerator[bytes, None], lease: Lease) -> None:
        self._pieces, self._lease = pieces, lease

    async def asend(self, value: None) -> bytes:
        """The next piece.

        Raises:
            StopAsyncIteration: after the last.
            StreamBrokenError: when there should have been more.
        """
        try:
            return await self._pieces.asend(None)
        except BaseException as error:
            # However it ends, cancelled too, no lease is left behind.
            await self.aclose()
            if isinstance(error, PlaygroundError) and not isinstance(error, StreamBrokenError):
                status = error.status if isinstance(error, RemoteError) else None
                raise StreamBrokenError(error.message, error.remedy, status=status) from error
            raise

    async def athrow(self, typ: Any, val: Any = None, tb: Any = None) -> bytes:
        """Ends the request, then raises what is thrown."""
        await self.aclose()
        raise typ if val is None else val

    async def aclose(self) -> None:
        """Ends the request. Safe to call twice."""
        self._lease.release()
        await self._pieces.aclose()

"""Models on this machine."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from app.engine.pool import ModelPool
from app.messages import ChatRequest, Delta


class LocalBackend:
    """Answers with the chat models of the catalogue; the pool loads them when they are asked for."""

    name = "local"

    def __init__(self, pool: ModelPool) -> None:
        self._pool = pool

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        """Answers ``request``; see ``Backend.stream``.

        Raises:
            ModelNotInstalledError: when the model's file is not here; faces fetch it and ask again.
            PlaygroundError: in place of ``Finished``.
        """
        async with aclosing(self._pool.stream(request)) as deltas:
            async for delta in deltas:
                yield delta

    async def models(self) -> tuple[str, ...]:
        """The chat models of the catalogue, whether their files are here or not, in the catalogue's order."""
        return tuple(entry.name for entry in self._pool.catalogue.entries if entry.role == "chat")

    async def aclose(self) -> None:
        """Closes every model."""
        await self._pool.aclose()

"""Waiting for a model that is not here yet."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from app.messages import ChatRequest, Delta
from app.tui.model_desk import ModelDesk


class WhenHere:
    """Waits for a model that is still being fetched, then asks the router."""

    def __init__(self, desk: ModelDesk) -> None:
        self._desk = desk

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        """As the router's."""
        await self._desk.here(request.model)
        deltas = self._desk.router.stream(request)
        try:
            async for delta in deltas:
                yield delta
        finally:
            await deltas.aclose()

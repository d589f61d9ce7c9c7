"""Which backend answers a request."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from app.backends.base import Backend
from app.errors import UnknownModelError
from app.messages import ChatRequest, Delta


class Router:
    """Takes requests from every face and gives each to the backend that knows its model.

    Backends are asked in the order given, so an earlier one hides a later one's model of the same name.
    """

    def __init__(self, backends: Sequence[Backend]) -> None:
        self._backends = tuple(backends)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        """Answers ``request``; see ``Backend.stream`` for the order of deltas, cancelling and errors.

        Raises:
            UnknownModelError: when no backend knows the model.
        """
        backend = await self._backend_for(request.model)
        async with aclosing(backend.stream(request)) as deltas:
            async for delta in deltas:
                yield delta

    async def models(self) -> tuple[str, ...]:
        """Every name that is answered to, once each, first backend first."""
        names = [name for backend in self._backends for name in await backend.models()]
        return tuple(dict.fromkeys(names))

    async def aclose(self) -> None:
        """Closes every backend."""
        for backend in self._backends:
            await backend.aclose()

    async def _backend_for(self, model: str) -> Backend:
        for backend in self._backends:
            if model in await backend.models():
                return backend
        known = ", ".join(await self.models()) or "none"
        raise UnknownModelError(f"No model is called {model!r}.", f"Known models: {known}.")

"""Which backend answers a request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

from app.backends.base import Backend
from app.backends.raw import RawAnswer, RawRequest
from app.errors import UnknownModelError
from app.messages import ChatRequest, Delta

if TYPE_CHECKING:
    from app.backends.remote import Preview

    from .listing import LocalFacts, ModelLine
    from .remotes import Remotes


class Router:
    """Takes requests from every face and gives each to the backend that knows its model.

    Backends are asked in the order given, so an earlier one hides a later one's model of the same name. Remote models
    come after them all; those have chains of fallbacks, which ``app.routing.failover`` follows.

    In local-only mode a remote model that is asked by name is refused, unless it is served on this machine's own
    loopback addresses, or its fallbacks name a model that is: that one answers then, and ``Rerouted`` says so.

    Args:
        backends: of this machine.
        remotes: the models elsewhere; ``None`` has none.
        describe: what is known of a model of this machine, for ``listing``.
    """

    def __init__(
        self,
        backends: Sequence[Backend],
        remotes: Remotes | None = None,
        *,
        describe: Callable[[str], LocalFacts | None] = lambda name: None,
    ) -> None:
        self._backends = tuple(backends)
        self._remotes = remotes
        self._describe = describe
        self._local: dict[str, Backend] = {}

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        """Answers ``request``; see ``Backend.stream`` for the order of deltas, cancelling and errors.

        ``Started`` names the model and backend that really answer. Tries again and failover happen before the first
        piece of an answer; see ``app.routing.failover.answer``.

        Raises:
            UnknownModelError: when no backend knows the model.
            LocalOnlyError: when it is remote and nothing may leave this machine.
            StreamBrokenError: when the answer of a remote model broke off; ``next_after`` says who could go on.
        """
        deltas = self._remotes.stream(request) if self._remotes is not None else None
        if deltas is None:
            deltas = (await self._backend_for(request.model)).stream(request.at_home())
        async with aclosing(deltas):
            async for delta in deltas:
                yield delta

    async def raw(self, request: RawRequest) -> RawAnswer | None:
        """Passes a request on as it came, to an endpoint that speaks its protocol.

        Returns:
            The answer's beginning, its pieces to be closed by whoever reads them; ``None`` when nobody who can answer
            speaks that protocol, so that the request must be translated and given to ``stream``.

        Raises:
            PlaygroundError: as ``stream``; nothing has been given on then.
        """
        return await self._remotes.raw(request) if self._remotes is not None else None

    async def preview(self, request: ChatRequest) -> Preview | None:
        """Exactly what would be sent for ``request``, keys masked; ``None`` when nothing would leave this program.

        Raises:
            LocalOnlyError: when nothing may be sent.
            PlaygroundError: when it cannot be made fit to be sent.
        """
        return await self._remotes.preview(request) if self._remotes is not None else None

    async def models(self) -> tuple[str, ...]:
        """Every name that chats, once each, first backend first; remote models and their aliases last."""
        await self._learn()
        remote = self._remotes.names if self._remotes is not None else ()
        return tuple(dict.fromkeys((*self._local, *remote)))

    async def knows(self, name: str) -> bool:
        """Whether ``name`` is answered to. Made for every request: it asks no backend about a name that it has met."""
        if name in self._local or (self._remotes is not None and self._remotes.knows(name)):
            return True
        await self._learn()
        return name in self._local

    def is_remote(self, name: str) -> bool:
        """Whether ``name``, or what it is an alias of, is answered by an endpoint of the catalogue."""
        return self._remotes is not None and self._remotes.knows(name)

    def context_of(self, name: str) -> int:
        """Tokens of a remote model's context window, as the catalogue says; 0 is unknown, or one of this machine."""
        return self._remotes.context_of(name) if self._remotes is not None else 0

    def sees(self, name: str) -> bool | None:
        """Whether a model sees pictures: one of this machine does not; ``None`` where the catalogue does not say."""
        return self._remotes.sees(name) if self._remotes is not None and self._remotes.knows(name) else False

    def next_after(self, model: str, asked: str | None = None) -> str | None:
        """Who would be asked after ``model``: to go on with an answer that broke off. ``None`` when there is nobody.

        Args:
            model: who answered, as ``Started`` named it.
            asked: who was asked, if that was another: its chain counts then.
        """
        return self._remotes.next_after(model, asked) if self._remotes is not None else None

    async def listing(self, *, check: bool = False) -> tuple[ModelLine, ...]:
        """Every model as a picker shows it.

        Args:
            check: whether each endpoint is asked how it is, all at once, before; without it nothing is sent, and what
                was never asked is ``unknown``.
        """
        from .listing import local_line

        await self._learn()
        lines = [local_line(name, backend.name, self._describe(name)) for name, backend in self._local.items()]
        if self._remotes is not None:
            if check:
                await self._remotes.check()
            lines += self._remotes.lines(asyncio.get_running_loop().time())
        return tuple(lines)

    async def aclose(self) -> None:
        """Closes every backend."""
        for backend in self._backends:
            await backend.aclose()
        if self._remotes is not None:
            await self._remotes.aclose()

    async def _learn(self) -> None:
        found: dict[str, Backend] = {}
        for backend in self._backends:
            for name in await backend.models():
                found.setdefault(name, backend)
        self._local = found

    async def _backend_for(self, model: str) -> Backend:
        backend = self._local.get(model)
        if backend is None:
            await self._learn()
            backend = self._local.get(model)
        if backend is None:
            known = ", ".join(await self.models()) or "none"
            raise UnknownModelError(f"No model is called {model!r}.", f"Known models: {known}.")
        return backend

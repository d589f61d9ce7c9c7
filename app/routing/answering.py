"""What takes requests: the router, and whatever stands around it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Protocol

from app.backends.raw import RawAnswer, RawRequest
from app.messages import ChatRequest, Delta

if TYPE_CHECKING:
    from app.backends.remote import Preview

    from .listing import ModelLine

FROM_CACHE = "cache"
"""The backend that ``raw`` names for an answer which was given before; no endpoint can be called so."""


class Answering(Protocol):
    """The router as its users see it; ``app.routing.router.Router`` says what each gives and raises."""

    def stream(self, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        """See ``Router.stream``."""
        ...

    async def raw(self, request: RawRequest) -> RawAnswer | None:
        """See ``Router.raw``."""
        ...

    async def preview(self, request: ChatRequest) -> Preview | None:
        """See ``Router.preview``."""
        ...

    async def models(self) -> tuple[str, ...]:
        """See ``Router.models``."""
        ...

    async def knows(self, name: str) -> bool:
        """See ``Router.knows``."""
        ...

    def is_remote(self, name: str) -> bool:
        """See ``Router.is_remote``."""
        ...

    def context_of(self, name: str) -> int:
        """See ``Router.context_of``."""
        ...

    def sees(self, name: str) -> bool | None:
        """See ``Router.sees``."""
        ...

    def next_after(self, model: str, asked: str | None = None) -> str | None:
        """See ``Router.next_after``."""
        ...

    async def listing(self, *, check: bool = False) -> tuple[ModelLine, ...]:
        """See ``Router.listing``."""
        ...

    async def aclose(self) -> None:
        """See ``Router.aclose``."""
        ...


class Around:
    """Hands everything on to what it stands around; those that do more override what they change.

    Args:
        inner: the router, or something around it.
    """

    def __init__(self, inner: Answering) -> None:
        self.inner = inner

    def stream(self, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        """See ``Router.stream``."""
        return self.inner.stream(request)

    async def raw(self, request: RawRequest) -> RawAnswer | None:
        """See ``Router.raw``."""
        return await self.inner.raw(request)

    async def preview(self, request: ChatRequest) -> Preview | None:
        """See ``Router.preview``."""
        return await self.inner.preview(request)

    async def models(self) -> tuple[str, ...]:
        """See ``Router.models``."""
        return await self.inner.models()

    async def knows(self, name: str) -> bool:
        """See ``Router.knows``."""
        return await self.inner.knows(name)

    def is_remote(self, name: str) -> bool:
        """See ``Router.is_remote``."""
        return self.inner.is_remote(name)

    def context_of(self, name: str) -> int:
        """See ``Router.context_of``."""
        return self.inner.context_of(name)

    def sees(self, name: str) -> bool | None:
        """See ``Router.sees``."""
        return self.inner.sees(name)

    def next_after(self, model: str, asked: str | None = None) -> str | None:
        """See ``Router.next_after``."""
        return self.inner.next_after(model, asked)

    async def listing(self, *, check: bool = False) -> tuple[ModelLine, ...]:
        """See ``Router.listing``."""
        return await self.inner.listing(check=check)

    async def aclose(self) -> None:
        """See ``Router.aclose``."""
        await self.inner.aclose()

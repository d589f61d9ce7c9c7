"""The one seam that every kind of model crosses."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Protocol

from app.messages import ChatRequest, Delta


class Backend(Protocol):
    """Something that answers chat requests: the local engine, OpenAI, Anthropic, Ollama.

    The router calls ``stream`` only for models that the backend itself listed.
    """

    @property
    def name(self) -> str:
        """A short stable word: ``local``, ``openai``."""
        ...

    def stream(self, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        """Answers ``request``, in the order that ``app.messages.delta`` describes.

        Closing the iterator, or cancelling the task that reads it, stops the work at its source; both are safe at any
        moment.

        Raises:
            PlaygroundError: in place of ``Finished``; the deltas given before stay good.
        """
        ...

    async def models(self) -> tuple[str, ...]:
        """The names that this backend answers to, in the order a picker should show them."""
        ...

    async def aclose(self) -> None:
        """Ends every stream and frees what is held. Safe to call twice."""
        ...

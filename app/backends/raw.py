"""Requests that pass through as they came, to an endpoint that speaks the protocol they are written in."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import Protocol

from msgspec import Struct

from .rules import JsonObject, WireProtocol


class RawRequest(Struct, frozen=True, kw_only=True):
    """A client's request in its own protocol.

    Attributes:
        model: the name that the client asked for; the endpoint's own name for it is put into the body.
        body: what the client sent; not changed.
        headers: the client's own, with lower-case names; the endpoint's header rules decide what goes on.
        counts: only the prompt's tokens are asked for; Anthropic's protocol alone has words for that.
        deadline: when the answer must be whole, by the running loop's clock; None leaves it to the endpoint's own
            ``total_s``.
    """

    protocol: WireProtocol
    model: str
    body: JsonObject
    headers: Mapping[str, str] = {}
    stream: bool = False
    counts: bool = False
    deadline: float | None = None


class RawAnswer(Struct, frozen=True, kw_only=True):
    """What an endpoint began to answer with. An error status is not here: it is raised.

    Attributes:
        headers: those that may go on to the client.
        pieces: the body's bytes as they come; whole events when it is a stream. Closing it ends the request.
        whole: the first piece is the whole body, and is here: nothing of the answer can fail any more.
        model: who answers, as the router calls it.
        backend: the endpoint.
        instead_of: the model that was asked when another answers; with ``reason``, a sentence.
    """

    status: int
    headers: Mapping[str, str]
    pieces: AsyncGenerator[bytes, None]
    whole: bool = False
    model: str = ""
    backend: str = ""
    instead_of: str = ""
    reason: str = ""


class RawBackend(Protocol):
    """A backend that can pass requests through."""

    def speaks(self, protocol: WireProtocol) -> bool:
        """Whether requests in this protocol can go there as they are."""
        ...

    async def raw(self, request: RawRequest) -> RawAnswer:
        """Sends it on; returns when the answer's first piece is there.

        Raises:
            RemoteError: when it is refused or not answered; nothing has been given on then.
        """
        ...

"""Every request leaves a note: when, who was asked, who answered, how long it took, what it cost, how it ended."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager
from typing import Any

import msgspec

from app.backends.raw import RawAnswer, RawRequest
from app.errors import PlaygroundError
from app.messages import ChatRequest, Delta, Rerouted, Usage
from app.routing.answering import FROM_CACHE, Answering, Around
from app.routing.raw_usage import RawUsage

from .notebook import Notebook
from .watched import Watched


class Audited(Around):
    """A router whose requests are noted. It neither delays an answer nor fails it.

    Errors that pass lose the secrets in their words, wherever a provider has put them.

    Args:
        inner: the router, with its cache.
        notebook: takes the notes; shared by all faces.
        face: what asks: ``tui``, ``cli``, ``server``.
    """

    def __init__(self, inner: Answering, notebook: Notebook, face: str = "cli") -> None:
        super().__init__(inner)
        self._notebook, self._face = notebook, face

    def seen_from(self, face: str) -> Audited:
        """The same router, for another face. Close one of them only."""
        return Audited(self.inner, self._notebook, face)

    def price(self, model: str, usage: Usage) -> float | None:
        """US dollars for what a model did; ``None`` where its price is not known, as of every model of this machine."""
        return self._notebook.price(model, usage)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        """See ``Router.stream``."""
        with_body = self._notebook.bodies and request.kept
        watched = Watched(request.model, self._face, body=request if with_body else None)
        with self._noting(watched):
            async with aclosing(self.inner.stream(request)) as deltas:
                async for delta in deltas:
                    watched.saw(delta)
                    yield delta

    async def raw(self, request: RawRequest) -> RawAnswer | None:
        """See ``Router.raw``; the note is made when the answer's pieces end."""
        kind = "count" if request.counts else "raw"
        watched = Watched(request.model, self._face, kind=kind, body=request.body if self._notebook.bodies else None)
        try:
            answer = await self.inner.raw(request)
        except PlaygroundError as error:
            self._notebook.masker.error(error)
            watched.failed(error)
            watched.ended()
            self._notebook.add(watched)
            raise
        if answer is None:
            return None  # it is translated, and noted then
        watched.model, watched.backend = answer.model, answer.backend
        watched.from_cache = answer.backend == FROM_CACHE
        if answer.instead_of:
            watched.saw(Rerouted(answer.instead_of, answer.model, answer.reason))
        return msgspec.structs.replace(answer, pieces=_NotedPieces(answer.pieces, watched, self._notebook))

    @contextmanager
    def noting(self, model: str, kind: str) -> Iterator[Watched]:
        """Notes a request that does not go through ``stream`` or ``raw``, for as long as the block runs."""
        watched = Watched(model, self._face, kind=kind)
        with self._noting(watched):
            yield watched

    @contextmanager
    def _noting(self, watched: Watched) -> Iterator[None]:
        try:
            yield
        except PlaygroundError as error:
            self._notebook.masker.error(error)
            watched.failed(error)
            raise
        finally:
            watched.ended()
            self._notebook.add(watched)

    async def aclose(self) -> None:
        """See ``Router.aclose``; then writes what waits."""
        await self.inner.aclose()
        await self._notebook.aclose()


class _NotedPieces(AsyncGenerator[bytes, None]):
    """Pieces that are noted when they end, fail or are closed, also when nobody has begun to read."""

    def __init__(self, pieces: AsyncGenerator[bytes, None], watched: Watched, notebook: Notebook) -> None:
        self._pieces, self._watched, self._notebook = pieces, watched, notebook
        self._usage = RawUsage()
        self._given = b""
        """The last piece: it is looked through when the next is asked for, so that nobody waits for that."""
        self._noted = False

    @property
    def usage(self) -> Usage:
        """The tokens that the answer has told so far."""
        self._look_through()
        return self._usage.so_far

    async def asend(self, value: None) -> bytes:
        """The next piece."""
        self._look_through()
        try:
            piece = await self._pieces.asend(None)
        except StopAsyncIteration:
            self._watched.outcome = "finished"
            self._note()
            raise
        except PlaygroundError as error:
            self._notebook.masker.error(error)
            self._watched.failed(error)
            self._note()
            raise
        except BaseException:
            self._note()
            raise
        self._watched.began()
        self._given = piece
        return piece

    async def athrow(self, typ: Any, val: Any = None, tb: Any = None) -> bytes:
        """Ends the request, then raises what is thrown."""
        await self.aclose()
        raise typ if val is None else val

    async def aclose(self) -> None:
        """Ends the request. Safe to call twice."""
        self._note()
        await self._pieces.aclose()

    def _look_through(self) -> None:
        if self._given:
            self._usage.feed(self._given)
            self._given = b""

    def _note(self) -> None:
        if not self._noted:
            self._noted = True
            if self._watched.kind != "count":
                self._watched.usage = self.usage
            self._watched.ended()
            self._notebook.add(self._watched)

"""Answers that were given before are given again for the very same request.

Only whole answers of the model that was asked are kept: none that failed, was stopped, hit a length limit or a filter,
or came from another model in its place. What passes through in its own protocol is kept as it came.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from typing import Protocol, TypeVar

import msgspec

from app.backends.raw import RawAnswer, RawRequest
from app.errors import PlaygroundError
from app.messages import ChatRequest, Delta, Finished, Rerouted, Started, Timings
from app.routing.answering import Answering, Around
from app.routing.recording import Recording

from .cached_raw import Collecting, KeptRaw, encoded, given_again, raw_fingerprint, wants_fresh
from .fingerprints import Identify, fingerprint

T = TypeVar("T")

_log = logging.getLogger(__name__)
_WORTH_KEEPING = frozenset({"stop", "tool_calls"})
_DECODER = msgspec.msgpack.Decoder(tuple[Delta, ...])


class AnswerStore(Protocol):
    """Where answers are kept, as bytes by fingerprints."""

    async def get(self, key: bytes) -> bytes | None:
        """The answer; None when there is none, or the store is not open.

        Raises:
            PlaygroundError: when it cannot be read.
        """
        ...

    async def used(self, key: bytes) -> None:
        """Notes that it was given again."""
        ...

    async def put(self, key: bytes, answer: bytes, model: str) -> None:
        """Keeps an answer; does nothing while the store is not open."""
        ...

    async def aclose(self) -> None:
        """Closes connections."""
        ...


class Cached(Around):
    """A router that remembers.

    What is wrong with the store is logged and never fails an answer.

    Args:
        inner: asked for what is not remembered.
        store: where answers are.
        identify: who is meant by a name.
        most_bytes: answers larger than this are not kept.
    """

    def __init__(self, inner: Answering, store: AnswerStore, identify: Identify, *, most_bytes: int) -> None:
        super().__init__(inner)
        self._store, self._identify, self._most_bytes = store, identify, most_bytes
        self._writing: set[asyncio.Task[None]] = set()
        self._warned = False

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        """See ``Router.stream``. What is remembered comes at once, and ``Started.from_cache`` says so.

        ``request.fresh`` has it made anew, and remembered from then on. One that must not be kept is passed on.
        """
        identity = self._identify(request.model) if request.kept else None
        key = fingerprint(request, identity) if identity is not None else None
        if identity is None or key is None:
            async with aclosing(self.inner.stream(request)) as deltas:
                async for delta in deltas:
                    yield delta
            return
        found = None if request.fresh else await self._read(key, _deltas)
        if found is not None:
            self._later(self._store.used(key))
            for delta in found:
                yield delta
            return
        recording: Recording | None = Recording(self._most_bytes)
        async with aclosing(self.inner.stream(request)) as deltas:
            async for delta in deltas:
                if recording is not None:
                    recording.add(delta)
                    if recording.too_large or _is_another(delta, identity.name):
                        recording = None
                    elif isinstance(delta, Finished) and delta.reason in _WORTH_KEEPING:
                        self._later(self._store.put(key, msgspec.msgpack.encode(recording.deltas), identity.name))
                yield delta

    async def raw(self, request: RawRequest) -> RawAnswer | None:
        """See ``Router.raw``. What is remembered comes in one piece, and ``backend`` is ``cache``.

        A ``Cache-Control`` of ``no-cache`` or ``no-store`` has it made anew.
        """
        identity = self._identify(request.model)
        key = raw_fingerprint(request, identity) if identity is not None else None
        if identity is None or key is None:
            return await self.inner.raw(request)
        found = None if wants_fresh(request) else await self._read(key, given_again)
        if found is not None:
            self._later(self._store.used(key))
            return found
        answer = await self.inner.raw(request)
        if answer is None or answer.instead_of or answer.model != identity.name:
            return answer

        def keep(kept: KeptRaw) -> None:
            self._later(self._store.put(key, encoded(kept), identity.name))

        pieces = Collecting(answer, request.protocol, stream=request.stream, most_bytes=self._most_bytes, keep=keep)
        return msgspec.structs.replace(answer, pieces=pieces)

    async def aclose(self) -> None:
        """Finishes writing; see ``Router.aclose``."""
        await self.inner.aclose()
        await asyncio.gather(*self._writing, return_exceptions=True)
        await self._store.aclose()

    async def _read(self, key: bytes, read: Callable[[bytes], T]) -> T | None:
        try:
            kept = await self._store.get(key)
            return None if kept is None else read(kept)
        except PlaygroundError as error:
            self._tell(error)
        except msgspec.MsgspecError:
            _log.warning("an answer that was kept cannot be read; it is made anew")
        return None

    def _later(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(self._quietly(work))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def _quietly(self, work: Coroutine[None, None, None]) -> None:
        try:
            await work
        except PlaygroundError as error:
            self._tell(error)

    def _tell(self, error: PlaygroundError) -> None:
        """Once: a store that is down would be heard of with every request."""
        if not self._warned:
            self._warned = True
            _log.warning("answers are not remembered: %s", error.message)


def _is_another(delta: Delta, name: str) -> bool:
    return isinstance(delta, Rerouted) or (isinstance(delta, Started) and (delta.model != name or delta.from_cache))


def _deltas(kept: bytes) -> tuple[Delta, ...]:
    return tuple(map(_given_again, _DECODER.decode(kept)))


def _given_again(delta: Delta) -> Delta:
    if isinstance(delta, Started):
        return msgspec.structs.replace(delta, from_cache=True)
    return msgspec.structs.replace(delta, timings=Timings()) if isinstance(delta, Finished) else delta

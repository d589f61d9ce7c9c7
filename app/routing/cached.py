"""Answers that were given before are given again for the very same request.

Only whole answers of the model that was asked are kept: none that failed, was stopped, hit a length limit or a filter,
or came from another model in its place. Requests that pass through in their own protocol go by: what their answers mean
is not looked at here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing
from typing import Protocol

import msgspec

from app.errors import PlaygroundError
from app.messages import ChatRequest, Delta, Finished, Rerouted, Started, Timings

from .answering import Answering, Around
from .fingerprints import Identify, fingerprint
from .recording import Recording

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

        ``request.fresh`` has it made anew, and remembered from then on.
        """
        identity = self._identify(request.model)
        key = fingerprint(request, identity) if identity is not None else None
        if identity is None or key is None:
            async with aclosing(self.inner.stream(request)) as deltas:
                async for delta in deltas:
                    yield delta
            return
        found = None if request.fresh else await self._remembered(key)
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

    async def aclose(self) -> None:
        """Finishes writing; see ``Router.aclose``."""
        await self.inner.aclose()
        await asyncio.gather(*self._writing, return_exceptions=True)
        await self._store.aclose()

    async def _remembered(self, key: bytes) -> tuple[Delta, ...] | None:
        try:
            kept = await self._store.get(key)
            return None if kept is None else tuple(map(_given_again, _DECODER.decode(kept)))
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


def _given_again(delta: Delta) -> Delta:
    if isinstance(delta, Started):
        return msgspec.structs.replace(delta, from_cache=True)
    return msgspec.structs.replace(delta, timings=Timings()) if isinstance(delta, Finished) else delta

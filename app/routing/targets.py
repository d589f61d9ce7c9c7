"""Who can be asked: a model of this machine, or a remote one with all its replicas."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING, Protocol

import msgspec

from app.backends.base import Backend
from app.backends.deadlines import unfinished
from app.backends.raw import RawAnswer, RawRequest
from app.backends.rules import WireProtocol
from app.errors import LocalOnlyError, PlaygroundError, RemoteError, StreamBrokenError
from app.messages import ChatRequest, Delta, Finished, Started, TextDelta, ThinkingDelta, Waiting
from app.privacy.connections import ConnectionPolicy

from .catalogue.remote_models import RemoteModel
from .trying.attempts import Attempts
from .trying.leased_pieces import LeasedPieces
from .trying.replicas import Connected, Lease, Replica, Replicas

if TYPE_CHECKING:
    from app.backends.openai.transcribing import Form


class Target(Protocol):
    """One model of a chain."""

    @property
    def name(self) -> str:
        """As the router calls it."""
        ...

    def ready(self, now: float) -> bool:
        """Whether it may be asked at this moment, as far as is known."""
        ...

    def stream(self, request: ChatRequest, *, alone: bool) -> AsyncGenerator[Delta, None]:
        """See ``Backend.stream``. ``alone``: no other model can answer in its place."""
        ...


class LocalTarget:
    """A model of a backend that needs no rules: the local engine."""

    def __init__(self, name: str, backend: Backend) -> None:
        self.name = name
        self._backend = backend

    def ready(self, now: float) -> bool:
        """Always: what is wrong with it, it says itself."""
        return True

    def stream(self, request: ChatRequest, *, alone: bool) -> AsyncGenerator[Delta, None]:
        """See ``Backend.stream``."""
        return self._backend.stream(msgspec.structs.replace(request.at_home(), model=self.name))


class RemoteTarget:
    """A remote model: tries, replicas, the deadline over all of it, and who is said to answer.

    Args:
        model: as the catalogue describes it.
        policy: asked before anything is sent.
        used: told of each place that is asked.
        random: a number of [0, 1), for the waits between tries.
    """

    def __init__(
        self,
        model: RemoteModel,
        replicas: Replicas,
        policy: ConnectionPolicy,
        *,
        used: Callable[[Connected], None],
        random: Callable[[], float],
    ) -> None:
        self.name, self.model, self.replicas = model.name, model, replicas
        self._policy, self._used, self._random = policy, used, random

    def permitted(self, replica: Replica) -> bool:
        """Whether local-only mode lets anything go there."""
        return replica.place.local or not self._policy.local_only

    def ready(self, now: float) -> bool:
        """Whether a replica is permitted and not left alone."""
        return any(self.permitted(one) and one.circuit.may_pass(now) for one in self.replicas.all)

    def require_permitted(self) -> None:
        """Lets a request pass, or not.

        Raises:
            LocalOnlyError: when local-only mode is on and no replica is on this machine.
        """
        self._all_permitted()

    def _all_permitted(self) -> list[Replica]:
        found = [one for one in self.replicas.all if self.permitted(one)]
        if not found:
            raise LocalOnlyError(
                f"Local-only mode is on, so {self.name} was not asked: it is at {self.replicas.all[0].place.host}.",
                "Ask a model of this machine, or switch local-only mode off.",
            )
        return found

    async def stream(self, request: ChatRequest, *, alone: bool) -> AsyncGenerator[Delta, None]:
        """See ``Backend.stream``. Nothing but ``Waiting`` is given before the answer's first piece has come; until then
        a failed try is followed by another. An answer that breaks off later is never begun again.

        Raises:
            StreamBrokenError: when it broke off after something had been given.
            PlaygroundError: when nothing was given, and no try is left.
        """
        attempts = self._attempts(self._all_permitted(), alone=alone)
        while True:
            replica = attempts.next()
            begun = False
            with replica.leased() as lease:
                try:
                    async with aclosing(self._one(replica, request, attempts.deadline)) as deltas:
                        async for delta in deltas:
                            if not begun and not isinstance(delta, Waiting):
                                begun = True
                                lease.succeeded()
                            yield delta
                    return
                except PlaygroundError as error:
                    if begun:
                        broken = _broken(error)
                        raise broken from (error if broken is not error else error.__cause__)
                    wait = attempts.failed(replica, lease, error)
            yield Waiting("retrying", attempts.made, attempts.most)
            await asyncio.sleep(wait)

    async def raw(self, request: RawRequest, *, alone: bool) -> RawAnswer | None:
        """See ``RawBackend.raw``; tries and replicas as in ``stream``. ``None`` when none speaks the protocol."""
        speaking = [one for one in self._all_permitted() if self._passes(one, request.protocol)]
        if not speaking:
            return None
        attempts = self._attempts(speaking, alone=alone)
        while True:
            replica = attempts.next()
            lease = Lease(replica)
            try:
                asked = msgspec.structs.replace(request, model=replica.model, deadline=attempts.deadline)
                return await self._one_raw(replica, asked, lease)
            except PlaygroundError as error:
                try:
                    wait = attempts.failed(replica, lease, error)
                finally:
                    lease.release()
            except BaseException:
                lease.release()
                raise
            await asyncio.sleep(wait)

    async def form(self, made: Callable[[str], Form]) -> tuple[str, bytes]:
        """Sends a form; tries and replicas as in ``stream``. Gives who answered, and the whole answer.

        Args:
            made: makes the form, given the name that the model has there.

        Raises:
            PlaygroundError: when no try is left.
        """
        attempts = self._attempts(self._all_permitted(), alone=True)
        while True:
            replica = attempts.next()
            endpoint = replica.place.endpoint
            self._used(replica.place)
            with replica.leased() as lease:
                form = made(replica.model)
                try:
                    async with asyncio.timeout_at(attempts.deadline) as limit:
                        answer = await replica.place.backend.form(form.path, form.content_type, form.body)
                except TimeoutError:
                    if not limit.expired():
                        raise
                    raise unfinished(endpoint, self.name) from None
                except PlaygroundError as error:
                    wait = attempts.failed(replica, lease, error)
                else:
                    lease.succeeded()
                    return endpoint.name, answer
            await asyncio.sleep(wait)

    def _attempts(self, usable: list[Replica], *, alone: bool) -> Attempts:
        return Attempts(self.name, self.replicas, usable=usable, alone=alone, random=self._random)

    def _passes(self, replica: Replica, protocol: WireProtocol) -> bool:
        """Whether a request in this protocol can go on there as it is."""
        return replica.place.endpoint.passthrough and replica.place.backend.speaks(protocol)

    async def _one(self, replica: Replica, request: ChatRequest, deadline: float) -> AsyncGenerator[Delta, None]:
        """One try, put in order: one ``Started`` that says who answers, given with the first piece of the answer."""
        self._used(replica.place)
        endpoint = replica.place.endpoint
        started: Started | None = Started(self.name, endpoint.name, context=self.model.context)
        finished = False
        async with aclosing(
            replica.place.backend.stream(msgspec.structs.replace(request.abroad(), model=replica.model))
        ) as deltas:
            while True:
                try:
                    async with asyncio.timeout_at(deadline) as limit:
                        delta = await anext(deltas, None)
                except TimeoutError:
                    if not limit.expired():
                        raise
                    raise unfinished(endpoint, self.name) from None
                match delta:
                    case None:
                        break
                    case Started() if started is not None:
                        started = msgspec.structs.replace(
                            delta, model=self.name, backend=endpoint.name, context=delta.context or self.model.context
                        )
                    case Started() | TextDelta("", ()) | ThinkingDelta("", None):
                        pass
                    case Waiting():
                        if started is not None:
                            yield delta
                    case _:
                        if started is not None:
                            yield started
                            started = None
                        finished = isinstance(delta, Finished)
                        yield delta
        if not finished:
            raise StreamBrokenError(f"{self.name} stopped before its answer was whole.", "Ask again.")

    async def _one_raw(self, replica: Replica, request: RawRequest, lease: Lease) -> RawAnswer:
        self._used(replica.place)
        answer = await replica.place.backend.raw(request)
        lease.succeeded()
        return msgspec.structs.replace(
            answer, pieces=LeasedPieces(answer.pieces, lease), model=self.name, backend=replica.place.endpoint.name
        )


def _broken(error: PlaygroundError) -> StreamBrokenError:
    """What a failure is called once something of the answer has been given."""
    if isinstance(error, StreamBrokenError):
        return error
    status, retry_after = (error.status, error.retry_after) if isinstance(error, RemoteError) else (None, None)
    return StreamBrokenError(error.message, error.remedy, status=status, retry_after=retry_after)

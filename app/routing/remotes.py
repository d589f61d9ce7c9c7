"""The remote models of a running program: the catalogue's tables, connected."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Callable
from typing import TYPE_CHECKING

import msgspec

from app.backends.base import Backend
from app.backends.endpoint import Endpoint
from app.backends.raw import RawAnswer, RawRequest
from app.errors import InvalidRequestError
from app.messages import ChatRequest, Delta
from app.privacy.connections import ConnectionPolicy

from .catalogue.remote_models import RemoteCatalogue, RemoteModel, RemoteRole
from .failover import answer, answer_raw
from .listing import ModelLine, remote_line
from .targets import LocalTarget, RemoteTarget, Target
from .trying.health import HealthChecks
from .trying.replicas import Connected, RemoteBackend, Replica, Replicas

if TYPE_CHECKING:
    from app.backends.remote import Preview


class Remotes:
    """Answers for every remote model, each by its chain. A request costs one look into a table.

    Args:
        catalogue: the models, checked.
        connect: makes the backend of an endpoint; called once each, when it is first needed.
        policy: whether anything may leave this machine; asked anew for each request.
        local: answers for the models of this machine that are fallbacks.
        redacts: whether personal data is replaced, unless an endpoint says otherwise.
        chance: a number of [0, 1), for the waits between tries.

    Attributes:
        catalogue: the models.
        names: every name and alias that chats.
        transcribers: every name and alias that writes down speech.
    """

    def __init__(
        self,
        catalogue: RemoteCatalogue,
        connect: Callable[[Endpoint], RemoteBackend],
        policy: ConnectionPolicy,
        local: Backend,
        *,
        redacts: bool = True,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.catalogue, self._policy, self._redacts = catalogue, policy, redacts
        self._health = HealthChecks(policy)
        self._places = {name: Connected(endpoint, connect) for name, endpoint in catalogue.endpoints.items()}
        targets = {
            name: RemoteTarget(model, self._replicas(model), policy, used=self._health.used, random=chance)
            for name, model in catalogue.models.items()
        }
        chains: dict[str, tuple[Target, ...]] = {
            name: tuple(targets[one] if one in targets else LocalTarget(one, local) for one in chain)
            for name, chain in catalogue.chains.items()
        }
        aliases = {alias: chains[name] for alias, name in catalogue.aliases.items()}
        self._targets = targets
        self._chains = {**chains, **aliases}
        self.names, self.transcribers = _names_of(catalogue, "chat"), _names_of(catalogue, "transcribe")

    def knows(self, name: str) -> bool:
        """Whether it is a remote model, or an alias of one."""
        return name in self._chains

    def target(self, name: str) -> RemoteTarget | None:
        """A model by any of its names, without those that answer in its place; ``None`` when there is none."""
        return self._targets.get(self.catalogue.canonical(name) or "")

    def stream(self, request: ChatRequest) -> AsyncGenerator[Delta, None] | None:
        """The answer to ``request``; ``None`` when its model is not remote."""
        chain = self._chatting(request.model)
        return answer(chain, request) if chain is not None else None

    async def raw(self, request: RawRequest) -> RawAnswer | None:
        """See ``Router.raw``."""
        chain = self._chatting(request.model)
        return await answer_raw(chain, request) if chain is not None else None

    async def preview(self, request: ChatRequest) -> Preview | None:
        """See ``Router.preview``."""
        chain = self._chatting(request.model)
        if chain is None:
            return None
        refused = None
        for target in chain:
            if not isinstance(target, RemoteTarget):
                return None
            replica = next((one for one in target.replicas.all if target.permitted(one)), None)
            if replica is not None:
                return replica.place.backend.preview(msgspec.structs.replace(request.abroad(), model=replica.model))
            refused = refused or target
        assert refused is not None
        refused.require_permitted()
        return None

    def context_of(self, name: str) -> int:
        """See ``Router.context_of``."""
        model = self.catalogue.models.get(self.catalogue.canonical(name) or "")
        return model.context if model is not None else 0

    def sees(self, name: str) -> bool | None:
        """See ``Router.sees``."""
        model = self.catalogue.models.get(self.catalogue.canonical(name) or "")
        return model.vision if model is not None else None

    def next_after(self, model: str, asked: str | None = None) -> str | None:
        """See ``Router.next_after``; models that must not or cannot be asked now are passed over."""
        chain = self._chains.get(asked or model, ())
        names = [target.name for target in chain]
        begin = names.index(model) + 1 if model in names else 1
        now = asyncio.get_running_loop().time()
        return next((target.name for target in chain[begin:] if target.ready(now)), None)

    async def check(self) -> None:
        """Asks every endpoint of which a model may be asked, all at once, how it is."""
        await asyncio.gather(*(self._health.check(place) for place in self._places.values() if place.circuits))

    def lines(self, now: float) -> list[ModelLine]:
        """Every remote model, in the catalogue's order."""
        return [
            remote_line(
                target, self._policy, now, fallback=self.catalogue.chains[target.name][1:], redacts=self._redacts
            )
            for target in self._targets.values()
        ]

    def in_flight(self) -> dict[str, int]:
        """Requests that run now, by endpoint."""
        counted = dict.fromkeys(self._places, 0)
        for target in self._targets.values():
            for replica in target.replicas.all:
                counted[replica.place.endpoint.name] += replica.in_flight
        return counted

    async def aclose(self) -> None:
        """Stops every check and closes every connection."""
        await self._health.aclose()
        for place in self._places.values():
            await place.aclose()

    def _chatting(self, name: str) -> tuple[Target, ...] | None:
        """Who is asked in turn for ``name``; ``None`` when it is not remote.

        Raises:
            InvalidRequestError: when it is, and does not chat.
        """
        chain = self._chains.get(name)
        if chain is not None and name in self.transcribers:
            raise InvalidRequestError(
                f"{name} writes down speech, and does not chat.",
                "Ask another model; give this one recordings: `playground transcribe`, or /v1/audio/transcriptions.",
            )
        return chain

    def _replicas(self, model: RemoteModel) -> Replicas:
        return Replicas(
            [Replica(self._places[one.endpoint], one.model, one.weight) for one in model.places()], model.choose
        )


def _names_of(catalogue: RemoteCatalogue, role: RemoteRole) -> tuple[str, ...]:
    models = [model for model in catalogue.models.values() if model.role == role]
    return tuple(name for model in models for name in dict.fromkeys((model.name, *model.aliases)))

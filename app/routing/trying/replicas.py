"""The places that serve one model, and which of them is asked next."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, Protocol
from urllib.parse import urlsplit

from app.backends.endpoint import Endpoint
from app.backends.raw import RawAnswer, RawRequest
from app.backends.rules import WireProtocol
from app.errors import PlaygroundError
from app.routing.catalogue.endpoint_tables import is_on_this_machine

from .circuit import Circuit

if TYPE_CHECKING:
    from app.backends.remote import Preview
    from app.messages import ChatRequest, Delta


class RemoteBackend(Protocol):
    """What an endpoint is reached by: ``Backend`` and ``RawBackend``, and two questions of its own."""

    @property
    def name(self) -> str:
        """The endpoint's name."""
        ...

    def stream(self, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        """See ``Backend.stream``; ``request.model`` is the endpoint's own name for it."""
        ...

    async def models(self) -> tuple[str, ...]:
        """What the endpoint lists."""
        ...

    def speaks(self, protocol: WireProtocol) -> bool:
        """See ``RawBackend.speaks``."""
        ...

    async def raw(self, request: RawRequest) -> RawAnswer:
        """See ``RawBackend.raw``."""
        ...

    async def form(self, path: str, content_type: str, body: bytes) -> bytes:
        """Sends a form; gives the whole answer."""
        ...

    def preview(self, request: ChatRequest) -> Preview:
        """Exactly what ``stream`` would send, keys masked."""
        ...

    async def check(self) -> object:
        """Whether it is well.

        Raises:
            PlaygroundError: when it is not.
        """
        ...

    async def aclose(self) -> None:
        """See ``Backend.aclose``."""
        ...


class Connected:
    """An endpoint with the backend that reaches it, which is made when it is first needed.

    Attributes:
        local: whether what goes there stays on this machine.
        seen: how its latest answer or check went: True, False, or None before there was one.
        trouble: why not, as a sentence.
        circuits: of every replica there.
    """

    def __init__(self, endpoint: Endpoint, connect: Callable[[Endpoint], RemoteBackend]) -> None:
        self.endpoint = endpoint
        self.local = is_on_this_machine(endpoint)
        self.seen: bool | None = None
        self.trouble = ""
        self.host = urlsplit(endpoint.url).netloc
        self.circuits: list[Circuit] = []
        self._connect = connect
        self._backend: RemoteBackend | None = None

    @property
    def backend(self) -> RemoteBackend:
        """Reaches it."""
        if self._backend is None:
            self._backend = self._connect(self.endpoint)
        return self._backend

    def well(self) -> None:
        """It answered."""
        self.seen, self.trouble = True, ""

    def refuses(self, error: PlaygroundError) -> None:
        """It is there, and will not have us: the key, or what was asked for."""
        self.seen, self.trouble = True, error.message

    def unwell(self, now: float, error: PlaygroundError, *, gone: bool) -> None:
        """It did not. ``gone``: nothing there can be reached, so every model of it is left alone."""
        self.seen, self.trouble = False, error.message
        if gone:
            for circuit in self.circuits:
                circuit.failed(now, error.message, certain=True)

    async def aclose(self) -> None:
        """Closes its backend, if there is one."""
        if self._backend is not None:
            await self._backend.aclose()


class Replica:
    """One place that serves a model: an endpoint, the model's name there, and what runs there now.

    Attributes:
        in_flight: requests that are being answered.
    """

    def __init__(self, place: Connected, model: str, weight: float) -> None:
        self.place, self.model, self.weight = place, model, weight
        self.circuit = Circuit(place.endpoint.cooldown_s)
        place.circuits.append(self.circuit)
        self.in_flight = 0

    @contextmanager
    def leased(self) -> Iterator[Lease]:
        """Counts a request for as long as it runs, however it ends."""
        lease = Lease(self)
        try:
            yield lease
        finally:
            lease.release()


class Lease:
    """One request at a replica. It counts from the beginning until ``release``, which may be called more than once."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        self._running = True
        self.probe = replica.circuit.begin()
        replica.in_flight += 1

    def succeeded(self) -> None:
        """The answer has begun."""
        self.probe = False
        self._replica.circuit.succeeded()
        self._replica.place.well()

    def failed(
        self, now: float, error: PlaygroundError, *, certain: bool, gone: bool, retry_after: float | None = None
    ) -> None:
        """The place will not be asked again for this request."""
        self.probe = False
        self._replica.place.unwell(now, error, gone=gone)
        self._replica.circuit.failed(now, error.message, certain=certain, retry_after=retry_after)

    def release(self) -> None:
        """The request is over; a probe that told nothing leaves its place to the next."""
        if not self._running:
            return
        self._running = False
        self._replica.in_flight -= 1
        if self.probe:
            self.probe = False
            self._replica.circuit.abandoned()


class Replicas:
    """The places of one model.

    ``least-loaded`` asks the one with the fewest running requests for its weight, and of equals the one that was asked
    longest ago. ``weighted`` gives each its share of the requests, evenly spread (smooth weighted round-robin, as in
    nginx's upstream module).
    """

    def __init__(self, replicas: Sequence[Replica], choose: Literal["least-loaded", "weighted"]) -> None:
        self.all = tuple(replicas)
        self._weighted = choose == "weighted"
        self._credit = dict.fromkeys(self.all, 0.0)
        self._asked = dict.fromkeys(self.all, 0)
        self._count = 0

    def pick(
        self,
        now: float,
        among: Sequence[Replica],
        *,
        avoid: Replica | None = None,
        last_resort: bool = False,
    ) -> Replica | None:
        """The one to ask now; ``None`` when there is none that may be asked.

        Args:
            now: the moment, of the same clock as the circuits'.
            among: those of them that can be asked at all.
            avoid: the one that just failed: chosen only when there is no other.
            last_resort: nobody else can answer; see ``Circuit.may_pass``.
        """
        found = [one for one in among if one.circuit.may_pass(now)]
        if not found and last_resort:
            found = [one for one in among if one.circuit.may_pass(now, last_resort=True)]
        if not found:
            return None
        if avoid is not None:
            found = [one for one in found if one is not avoid] or found
        if len(found) == 1:
            chosen = found[0]
        elif self._weighted:
            chosen = self._by_share(found)
        else:
            chosen = min(found, key=self._load)
        self._count += 1
        self._asked[chosen] = self._count
        return chosen

    def _load(self, one: Replica) -> tuple[float, int]:
        return (one.in_flight + 1) / one.weight, self._asked[one]

    def _by_share(self, found: Sequence[Replica]) -> Replica:
        for one in found:
            self._credit[one] += one.weight
        chosen = max(found, key=self._credit.__getitem__)
        self._credit[chosen] -= sum(one.weight for one in found)
        return chosen

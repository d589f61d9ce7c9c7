"""Models somewhere else: one endpoint, asked in its own protocol, with the rules of its wire."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

import msgspec
from msgspec import Struct

from app.errors import RemoteError
from app.messages import ChatRequest, Delta, Waiting
from app.privacy.connections import ConnectionPolicy

from .answering import read
from .credentials import Credentials
from .dressing import Dressing
from .endpoint import Endpoint
from .header_rules import to_client
from .http.answers import Answer, whole
from .http.connections import Connections
from .http.resolving import ResolverCheck
from .kinds import kind_of
from .passing import MOST_WHOLE, PassedOn, copied, decoded
from .raw import RawAnswer, RawRequest
from .refusals import refusal
from .rules import WireProtocol, WireRules, changes_bodies

_MOST_ERROR = 64 * 1024
_MOST_MODELS = 10_000


class Preview(Struct, frozen=True):
    """Exactly what would be sent, its key masked.

    Attributes:
        url: where to.
        headers: what is set by the rules and by the endpoint.
        body: the bytes.
    """

    url: str
    headers: Mapping[str, str]
    body: bytes


class RemoteBackend:
    """Answers by asking an endpoint. ``Backend`` and ``RawBackend``; ``request.model`` is the endpoint's own name.

    Nothing is tried twice here: what fails raises, and whoever asks decides.

    Args:
        endpoint: where, and in which protocol.
        rules: of its wire.
        credentials: fetch its key.
        policy: is asked before each connection.
        resolver_check: is told each address before it is connected to, and raises where it must not be.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        rules: WireRules,
        credentials: Credentials,
        policy: ConnectionPolicy,
        *,
        resolver_check: ResolverCheck | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._rules = rules
        self._kind = kind_of(endpoint.kind)
        self._dressing = Dressing(endpoint, self._kind, rules, credentials)
        self._connections = Connections(endpoint, policy, resolver_check=resolver_check)

    @property
    def name(self) -> str:
        """The endpoint's name."""
        return self._endpoint.name

    # Asked in neutral words

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta, None]:
        """Answers ``request``; see ``Backend.stream``.

        Raises:
            TranslationError: its protocol has no words for what is asked.
            CredentialError: its key is not where the catalogue says.
            LocalOnlyError: nothing may leave this machine.
            RemoteError: it did not answer, or not in full.
        """
        dialect = self._kind.way(request)
        exchange = self._rules.exchange(dialect.protocol)
        body = exchange.body(dialect.body(request))
        headers = await self._dressing.headers(exchange, {})
        yield Waiting("connecting")
        reader = dialect.reader(request.model, self.name)
        try:
            answer = await self._send("POST", dialect.path, headers, msgspec.json.encode(body))
            try:
                async with aclosing(read(answer, exchange, reader, dialect.protocol, self.name)) as deltas:
                    async for delta in deltas:
                        yield delta
            finally:
                await answer.close()
        except RemoteError as error:
            self._dressing.mask(error, headers)
            raise

    # Passed through as it came

    def speaks(self, protocol: WireProtocol) -> bool:
        """See ``RawBackend.speaks``."""
        return self._endpoint.passthrough and protocol in self._kind.paths

    async def raw(self, request: RawRequest) -> RawAnswer:
        """See ``RawBackend.raw``. Fields that we do not know stay; the model's name is the endpoint's own.

        Raises:
            CredentialError: its key is not where the catalogue says.
            LocalOnlyError: nothing may leave this machine.
            RemoteError: it did not answer. ``body`` has its own words where it gave any.
        """
        exchange = self._rules.exchange(request.protocol)
        # Rules change bodies in place, and the client's own is asked again elsewhere if this fails.
        body = copied(request.body) if changes_bodies(exchange) else request.body
        body = exchange.body({**body, "model": request.model})
        headers = await self._dressing.headers(exchange, request.headers, request.deadline)
        answer: Answer | None = None
        try:
            answer = await self._send(
                "POST", self._path(request), headers, msgspec.json.encode(body), deadline=request.deadline
            )
            pieces = PassedOn(
                answer,
                exchange,
                request.protocol,
                self.name,
                lambda error: self._dressing.mask(error, headers),
                streams=request.stream,
                secrets=self._dressing.secrets,
            )
            await pieces.begin()
        except BaseException as error:
            if answer is not None:
                await answer.close()
            if isinstance(error, RemoteError):
                self._dressing.mask(error, headers)
            raise
        return RawAnswer(
            status=answer.status,
            headers=to_client(answer.headers),
            pieces=pieces,
            whole=pieces.whole,
            model=request.model,
            backend=self.name,
        )

    async def form(self, path: str, content_type: str, body: bytes) -> bytes:
        """Sends a form, as a recording is sent in; gives the whole answer.

        The rules of headers hold for it. Rules of bodies and the redaction know JSON alone: whoever sends a form to an
        endpoint that has some must refuse it.

        Raises:
            CredentialError: its key is not where the catalogue says.
            LocalOnlyError: nothing may leave this machine.
            RemoteError: it did not answer.
        """
        headers = await self._dressing.alone() | {"content-type": content_type}
        return await self._whole("POST", path, headers, body)

    # About the endpoint

    def preview(self, request: ChatRequest) -> Preview:
        """Exactly what ``stream`` would send now, made the same way; its key is masked, and not even fetched.

        Raises:
            TranslationError: its protocol has no words for what is asked.
        """
        dialect = self._kind.way(request)
        exchange = self._rules.exchange(dialect.protocol)
        body = msgspec.json.encode(exchange.body(dialect.body(request)))
        return Preview(self._connections.url(dialect.path), self._dressing.shown(exchange), body)

    async def models(self) -> tuple[str, ...]:
        """The names that the endpoint lists.

        Raises:
            CredentialError: its key is not where the catalogue says.
            LocalOnlyError: nothing may leave this machine.
            RemoteError: it does not say.
        """
        body = decoded(await self._get(self._kind.listing), self.name)
        return tuple(dict.fromkeys(self._kind.names(body)))[:_MOST_MODELS]

    async def check(self) -> None:
        """Asks whether it is well: at its ``health`` path, or for its list of models.

        Raises:
            CredentialError: its key is not where the catalogue says.
            LocalOnlyError: nothing may leave this machine.
            RemoteError: it is not.
        """
        await self._get(self._endpoint.health or self._kind.listing)

    async def aclose(self) -> None:
        """Closes every connection. Safe to call twice."""
        await self._connections.aclose()

    # Sending

    async def _get(self, path: str) -> bytes:
        return await self._whole("GET", path, await self._dressing.alone(), None)

    async def _whole(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> bytes:
        try:
            answer = await self._send(method, path, headers, body)
            try:
                return await whole(answer, MOST_WHOLE)
            finally:
                await answer.close()
        except RemoteError as error:
            self._dressing.mask(error, headers)
            raise

    async def _send(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None, *, deadline: float | None = None
    ) -> Answer:
        answer = await self._connections.send(method, path, headers, body, deadline)
        if 200 <= answer.status < 300:
            return answer
        try:
            said = await whole(answer, _MOST_ERROR, cut=True)
        except RemoteError:
            said = b""  # Its status says enough.
        finally:
            await answer.close()
        raise refusal(self.name, answer.status, answer.headers, said)

    def _path(self, request: RawRequest) -> str:
        if request.protocol == "ollama" and "prompt" in request.body:
            return "/api/generate"
        if request.counts:
            return f"{self._kind.paths[request.protocol]}/count_tokens"
        return self._kind.paths[request.protocol]

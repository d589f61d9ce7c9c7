"""The headers that a request goes with: what rules and kind say, the key, and what of it all must not be repeated."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from app import __version__
from app.errors import RemoteError
from app.privacy.masking import MASK, Masker

from .credentials import Credentials
from .deadlines import until
from .endpoint import Endpoint
from .header_rules import from_client, outgoing
from .kinds import Kind
from .rules import WireExchange, WireRules, wants_headers

_LEAST_SECRET = 6
"""Shorter values are words, and would blot out half an answer."""
_OWN = {
    "user-agent": f"playground/{__version__}",
    "content-type": "application/json",
    "accept": "application/json, text/event-stream, application/x-ndjson",
    "accept-encoding": "identity",
}
_SECRET_HEADERS = ("authorization", "key", "token", "secret", "cookie", "password")


class Dressing:
    """Dresses the requests to one endpoint. What it shows of itself holds no secret.

    Args:
        endpoint: whose key it is.
        kind: which header the key goes into, and what goes with it.
        rules: of the endpoint.
        credentials: fetch the key.
    """

    __slots__ = ("_always", "_credentials", "_endpoint", "_forms", "_kind", "_last", "_rules")

    def __init__(self, endpoint: Endpoint, kind: Kind, rules: WireRules, credentials: Credentials) -> None:
        self._endpoint, self._kind, self._rules, self._credentials = endpoint, kind, rules, credentials
        self._last: str | None = None
        """The key that was last sent; with it go the headers of all requests with which none of a client's go on."""
        self._always: dict[str, str] | None = None
        self._forms: tuple[bytes, ...] = ()

    async def headers(
        self, exchange: WireExchange, client: Mapping[str, str], deadline: float | None = None
    ) -> dict[str, str]:
        """All but those of the connection itself; not to be changed.

        Args:
            exchange: the rules.
            client: what a client sent, with lower-case names.
            deadline: when the answer must be whole; a keyring may wait for somebody to open it.

        Raises:
            CredentialError: the key is not where the catalogue says.
            RemoteTimeoutError: it did not come before the deadline.
            VaultLockedError: it is in the vault, and the vault is locked.
        """
        key = await self._key(deadline)
        if key != self._last:
            self._last, self._always, self._forms = key, None, self._secret_forms(key)
        if wants_headers(exchange):
            return self._dressed(exchange.headers(from_client(client)), key)
        if self._always is None:
            self._always = self._dressed(exchange.headers({}), key)
        return self._always

    async def alone(self) -> dict[str, str]:
        """``headers`` of a request that no client makes; rules of headers are the same in every protocol."""
        return await self.headers(self._rules.exchange("openai-chat"), {})

    def shown(self, exchange: WireExchange) -> dict[str, str]:
        """``headers`` with everything secret masked; the key is not even fetched."""
        masker = Masker(self._named())
        headers = self._dressed(exchange.headers({}), MASK if self._endpoint.key else "")
        return {name: MASK if _is_secret(name) else masker.text(value) for name, value in headers.items()}

    @property
    def secrets(self) -> tuple[bytes, ...]:
        """What the endpoint must not repeat to a client: the key that was last sent and secret values of headers, as
        JSON writes them.
        """
        return self._forms

    def mask(self, error: RemoteError, headers: Mapping[str, str]) -> None:
        """Takes out whatever was sent in headers that are not ours alone: a provider may repeat it."""
        masker = Masker()
        for name, value in headers.items():
            if name not in _OWN and name not in self._kind.headers:
                masker.learn(value, value.rpartition(" ")[2])
        masker.error(error)
        if error.body:
            error.body = masker.text(error.body.decode("utf-8", "replace")).encode()

    async def _key(self, deadline: float | None) -> str:
        reference = self._endpoint.key
        if deadline is None or Credentials.is_at_hand(reference):
            return await self._credentials.key(reference)
        async with until(deadline, self._endpoint):
            return await self._credentials.key(reference)

    def _dressed(self, going: Mapping[str, str], key: str) -> dict[str, str]:
        own = _OWN | {self._kind.key_header: self._kind.key_prefix + key} if key else _OWN
        return dict(self._kind.headers) | outgoing(going, own)

    def _secret_forms(self, key: str) -> tuple[bytes, ...]:
        return tuple(
            form
            for secret in (key, *self._named())
            if len(secret) >= _LEAST_SECRET
            for form in dict.fromkeys((secret.encode(), msgspec.json.encode(secret)[1:-1]))
        )

    def _named(self) -> tuple[str, ...]:
        """What the rules know to be secret."""
        found: tuple[str, ...] = getattr(self._rules, "secrets", ())
        return found


def _is_secret(name: str) -> bool:
    return any(word in name for word in _SECRET_HEADERS)

"""What stands before every route: who asks, from where, how much, and whether the request is sound.

Everything is decided by ``scope["path"]`` and the tables beside this file, nothing by ``request.url``. A refusal is
worded as the protocol at that path words its own (``error_shapes.py``). What passes carries
``scope["state"]["principal"]`` and ``scope["state"]["meter"]``.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import PlaygroundError
from app.privacy.connections import ConnectionPolicy
from app.server.accounts.routes import accounts
from app.server.auth.identifying import Identification, check_exposure
from app.server.auth.keys import VARIABLE, FixedKeys
from app.server.auth.needs import WEBSOCKET, Need
from app.server.auth.principal import ANYBODY, STRANGER, Principal
from app.server.connection import connection_of, is_body_here
from app.server.log_lines import OneLine
from app.server.metering.ledger import Ledger
from app.server.metering.meter import Meter
from app.server.observing.exchange import exchange_of, note_block, note_error
from app.server.observing.watching import route_of
from app.settings import Settings
from app.vault import Vault

from .answers import grant_headers, preflight, refuse
from .blocking import Blocking, network_of
from .bodies import BodyReader, BodyRules, check_headers
from .hosts import Hosts, Origins
from .judging import Judge, Judged
from .limits import NO_LIMITS, Allowance, RateLimits
from .refusals import KeyRefusedError, ScopeRefusedError, TooManyRequestsError

_log = logging.getLogger(__name__)
_log.addFilter(OneLine())

_ABUSE = frozenset({400, 401, 403, 408, 413, 415, 421, 431})
_APP_ABUSE = frozenset({401, 403})


@dataclass(frozen=True)
class GateParts:
    """What every gate of one server shares.

    Attributes:
        clock: seconds since 1970.
    """

    vault: Vault
    identification: Identification
    judge: Judge
    bodies: BodyRules
    limits: RateLimits
    blocking: Blocking
    ledger: Ledger
    accounts: ASGIApp
    clock: Callable[[], float]

    @classmethod
    def of(
        cls,
        vault: Vault,
        settings: Settings,
        environ: Mapping[str, str],
        *,
        policy: ConnectionPolicy,
        no_auth: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> GateParts:
        """The parts as the settings say.

        Args:
            vault: where keys, users and usage are kept; while it is locked only the environment's keys open.
            settings: what the user chose.
            environ: the process's environment: ``PLAYGROUND_API_KEYS``.
            policy: whether anything may leave this machine; the program's own.
            no_auth: nobody need have a key; only for a server on loopback, see ``require_safe``.
            clock: seconds since 1970.

        Raises:
            SettingsError: when a setting or a fixed key cannot be used.
            LocalOnlyError: when Redis is on another machine and nothing may leave this one.
        """
        access, server = settings.access, settings.server
        limits = RateLimits.open(access, policy)
        fixed = FixedKeys(environ.get(VARIABLE, ""))
        identification = Identification.of(vault, fixed, clock, access.token_s, no_auth=no_auth)
        ledger = Ledger(vault, limits, clock)
        return cls(
            vault=vault,
            identification=identification,
            judge=Judge(
                Hosts(access.hosts),
                Origins(server.cors_origins),
                access.head_bytes,
                settings.observability.metrics,
            ),
            bodies=BodyRules(server.max_body_bytes, server.max_audio_bytes, access.nesting, access.body_s),
            limits=limits,
            blocking=Blocking(
                access.block_after, access.block_s, access.block_longest_s, loopback=access.block_loopback
            ),
            ledger=ledger,
            accounts=accounts(vault, identification, limits, ledger, access.sign_in_s),
            clock=clock,
        )

    async def require_safe(self, host: str) -> None:
        """Whether the server may listen on ``host``.

        Raises:
            SettingsError: when others could ask without a key.
            VaultLockedError: when the keys cannot be seen.
        """
        has_keys = bool(self.identification.fixed)
        if not has_keys and not self.identification.no_auth:
            now = self.clock()
            has_keys = any(key.valid_at(now) for key in await self.vault.api_keys.list())
        check_exposure(host, no_auth=self.identification.no_auth, has_keys=has_keys)

    def around(self, app: ASGIApp) -> Gate:
        """A gate before an application."""
        return Gate(app, self)

    async def aclose(self) -> None:
        """Writes what is not written yet. Call it once no request is under way and before the vault is closed."""
        await self.ledger.aclose()


class Gate:
    """An ASGI application that lets pass to another what may.

    Args:
        app: the application behind it.
        parts: shared with other gates of the same server.
    """

    def __init__(self, app: ASGIApp, parts: GateParts) -> None:
        self._app, self._parts = app, parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        passage = _Passage(self._parts, scope, send)
        try:
            reader = await passage.admit(receive)
        except PlaygroundError as error:
            await passage.refused(error, receive)
            return
        if reader is None:
            return
        app = self._parts.accounts if passage.is_account else self._app
        if scope["type"] == "websocket":
            await app(scope, receive, passage.send)
            return
        try:
            await app(scope, reader.receive, passage.send_unless(reader) if reader.streams else passage.send)
        except PlaygroundError:
            if reader.failure is None:
                raise
        if reader.failure is not None and not passage.started:
            await passage.refused(reader.failure, receive)


class _Passage:
    """One connection on its way through the gate."""

    def __init__(self, parts: GateParts, scope: Scope, send: Send) -> None:
        self._parts, self._scope, self._send = parts, scope, send
        self.path: str = scope["path"]
        self.method: str = scope["method"] if scope["type"] == "http" else WEBSOCKET
        client = scope.get("client")
        self.address = network_of(client[0]) if client else ""
        self.is_account = self.path.startswith(("/auth/", "/users/", "/keys/")) or self.path in (
            "/users",
            "/keys",
            "/usage",
        )
        self.started = False
        self._headers: list[tuple[bytes, bytes]] = []
        self._drop = False

    async def admit(self, receive: Receive) -> BodyReader | None:
        """Decides; gives the body, or None when the gate has answered by itself: a browser's question beforehand.

        Raises:
            PlaygroundError: when it does not pass.
        """
        parts, scope = self._parts, self._scope
        self._require_not_blocked()
        connection = connection_of(scope)
        judged = parts.judge.judge(scope, self.method, self.address, connection.judged if connection else None)
        if judged.origin is not None:
            self._headers = grant_headers(judged.origin)
            if self.method == "OPTIONS":
                await preflight(scope["headers"], self._headers, self._send)
                return None
        principal = await self._principal(judged)
        allowance = await self._allowance(principal, judged.need)
        self._headers += allowance.headers(self.path)
        reader = BodyReader(receive, self.path, parts.bodies, is_json=judged.is_json)
        if self.method != WEBSOCKET:
            lengths = [value for name, value in scope["headers"] if name == b"content-length"]
            check_headers(lengths, judged.encodings, reader.most)
            await reader.prepare(here=is_body_here(scope))
        if connection is not None:
            connection.judged = judged
        state = scope.setdefault("state", {})
        state["principal"] = principal
        state["meter"] = Meter(parts.ledger, principal, self.address, parts.clock, parts.limits, exchange_of(scope))
        return reader

    def _require_not_blocked(self) -> None:
        wait = self._parts.blocking.blocked_for(self.address)
        if wait:
            self._drop = True
            raise TooManyRequestsError(
                "This address was refused too often and is not heard for a while.", "Wait.", retry_after_s=wait
            )

    async def _principal(self, judged: Judged) -> Principal:
        need, identification = judged.need, self._parts.identification
        if need.public:
            return STRANGER
        # A program that sends a key of its own making, as many must, is as welcome as one without.
        principal = ANYBODY if identification.no_auth else await identification.identify(judged.claim())
        if need.scopes and not set(need.scopes) & set(principal.scopes):
            raise ScopeRefusedError(
                f"{principal.name!r} may not do this: it needs the scope {' or '.join(need.scopes)!r}.",
                f"It has {', '.join(principal.scopes) or 'none'}. `playground keys create` makes another.",
            )
        return principal

    async def _allowance(self, principal: Principal, need: Need) -> Allowance:
        parts = self._parts
        if need.public and self.path.endswith(("/health", "/readiness")):
            return NO_LIMITS  # whoever watches over the server must hear from it
        allowance = await parts.limits.ask(principal, self.address)
        if "chat" in need.scopes or "embed" in need.scopes:
            await parts.ledger.check_quota(principal)
        parts.ledger.used(principal)
        return allowance

    async def refused(self, error: PlaygroundError, receive: Receive) -> None:
        """Answers with a refusal, and counts it against the address."""
        self.started = True
        status = await refuse(self._scope, receive, self._send, error, self._headers)
        note_error(self._scope, error, status, refused=True)
        if status in _ABUSE and not self._drop:
            self._failed(status)
        cause = "no key" if isinstance(error, KeyRefusedError) else error.code
        # Its route, not its path: what a client made up may hold a key.
        _log.info("refused %s %s from %s: %d %s", self.method, route_of(self._scope), self.address, status, cause)

    def send_unless(self, reader: BodyReader) -> Send:
        """Sends what the application answers, but not to a body that was found to be unsound while it was read."""

        async def send(message: Message) -> None:
            if reader.failure is None or self.started:
                await self.send(message)

        return send

    async def send(self, message: Message) -> None:
        """Sends what the application answers, with the gate's own headers."""
        if message["type"] in ("http.response.start", "websocket.http.response.start"):
            self.started = True
            if message["status"] in _APP_ABUSE:
                self._failed(message["status"])
            if self._headers:
                message = {**message, "headers": [*message.get("headers", ()), *self._headers]}
        await self._send(message)

    def _failed(self, status: int) -> None:
        if self._parts.blocking.failed(self.address):
            note_block(self._scope)
            _log.warning("blocked %s for a while, after %d at %s", self.address, status, route_of(self._scope))

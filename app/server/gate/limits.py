"""How often one may ask: limits for everybody, each key, each user and each address, in memory or in Redis.

Requests are counted by a sliding window, so that no minute has more of them than allowed, not even across the full
minute. Tokens are known only after an answer: they are counted by a fixed window, and who has gone over it waits for
the next one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from app.errors import LocalOnlyError, PlaygroundError, SettingsError
from app.privacy.connections import ConnectionPolicy
from app.server.auth.principal import Principal
from app.server.error_shapes import protocol_of
from app.settings.access import AccessSettings

from .refusals import TooManyRequestsError

if TYPE_CHECKING:
    from limits.aio.storage import Storage

_PREFIX = "playground"


class LimitsUnavailableError(PlaygroundError):
    """The limits are kept in Redis, and it does not answer."""

    title = "The limits cannot be read"
    code = "limits_unavailable"


@dataclass(frozen=True)
class Window:
    """How much of one limit is left.

    Attributes:
        amount: what is allowed in a minute.
        resets_at: seconds since 1970 when more is allowed again.
    """

    amount: int
    left: int
    resets_at: float


@dataclass(frozen=True)
class Allowance:
    """What the asker's own limits have left, for the headers of the answer; None for no limit."""

    requests: Window | None = None
    tokens: Window | None = None

    def headers(self, path: str) -> list[tuple[bytes, bytes]]:
        """The rate limit headers that the protocol's own service sends: Anthropic's there, OpenAI's elsewhere."""
        if self is NO_LIMITS:
            return []
        write = _anthropic if protocol_of(path) == "anthropic" else _openai
        found: list[tuple[bytes, bytes]] = []
        for kind, window in (("requests", self.requests), ("tokens", self.tokens)):
            if window is not None:
                found += write(kind, window)
        return found


NO_LIMITS = Allowance()


class RateLimits:
    """Counts what is asked for.

    Args:
        storage: of the ``limits`` package.
        settings: the limits that hold for everybody.
        allowed: raises ``LocalOnlyError`` where the storage may not be reached now.
    """

    def __init__(self, storage: Storage, settings: AccessSettings, allowed: Callable[[], None] = lambda: None) -> None:
        from limits.aio.strategies import FixedWindowRateLimiter, SlidingWindowCounterRateLimiter

        self._storage, self._settings, self._allowed = storage, settings, allowed
        self._requests = SlidingWindowCounterRateLimiter(storage)
        self._fixed = FixedWindowRateLimiter(storage)

    @classmethod
    def open(cls, settings: AccessSettings, policy: ConnectionPolicy) -> RateLimits:
        """Limits in memory, or in Redis when a URL is set. Nothing is connected yet.

        Raises:
            LocalOnlyError: when Redis is on another machine and nothing may leave this one.
            SettingsError: when the URL is not one of Redis; it is not repeated, for it may hold a password.
        """
        from limits.aio.storage import MemoryStorage, RedisStorage

        if not settings.redis_url:
            return cls(MemoryStorage(), settings)
        if not settings.redis_url.startswith(("redis://", "rediss://")):
            raise SettingsError(
                "access.redis_url is not an address of Redis.", "Write it as redis://HOST:PORT/NUMBER, or rediss://."
            )
        # Its host alone: the URL may hold a password.
        host = urlsplit(settings.redis_url).hostname or ""

        def allowed() -> None:
            policy.require(host, "share its limits")

        allowed()
        storage = RedisStorage(
            f"async+{settings.redis_url}",
            wrap_exceptions=True,
            implementation="redispy",
            key_prefix=_PREFIX,
            socket_connect_timeout=2.0,
            socket_timeout=2.0,
        )
        return cls(storage, settings, allowed)

    async def ask(self, principal: Principal, address: str) -> Allowance:
        """Counts one request.

        Raises:
            TooManyRequestsError: when a limit is reached.
            LimitsUnavailableError: when Redis does not answer.
        """
        own, each = self._requests_of(principal), self._settings
        tokens = self._tokens_of(principal)
        if not (own or tokens or each.requests_per_minute_per_address or each.requests_per_minute):
            return NO_LIMITS
        # The asker's own limit first: whoever has reached it does not use up what is everybody's.
        checks = [
            (own, f"requests:{principal.id}", "requests a minute"),
            (each.requests_per_minute_per_address, f"address:{address}", "requests a minute of one address"),
            (each.requests_per_minute, "everybody", "requests a minute of everybody together"),
        ]
        left = await self._tokens_left(principal, tokens)
        windows = [await self._hit(amount, name, words) for amount, name, words in checks if amount]
        return Allowance(windows[0] if own else None, left)

    def counts_tokens(self, principal: Principal) -> bool:
        """Whether ``spend`` has anything to do."""
        return bool(self._tokens_of(principal))

    async def spend(self, principal: Principal, tokens: int) -> None:
        """Counts the tokens of an answer.

        Raises:
            LimitsUnavailableError: when Redis does not answer.
        """
        from limits import RateLimitItemPerMinute

        amount = self._tokens_of(principal)
        if not amount or tokens <= 0:
            return
        with _reported(self._allowed):
            await self._fixed.hit(RateLimitItemPerMinute(amount), f"tokens:{principal.id}", cost=tokens)

    async def attempt(self, name: str, most: int, seconds: int) -> None:
        """Counts an attempt at something that can be guessed.

        Raises:
            TooManyRequestsError: after ``most`` of them in so many seconds.
            LimitsUnavailableError: when Redis does not answer.
        """
        from limits import RateLimitItemPerSecond

        item = RateLimitItemPerSecond(most, seconds)
        with _reported(self._allowed):
            if await self._fixed.hit(item, "attempt", name):
                return
            resets_at, _ = await self._fixed.get_window_stats(item, "attempt", name)
        raise TooManyRequestsError("Too many attempts.", "Wait.", retry_after_s=max(1.0, resets_at - time.time()))

    async def forgive(self, name: str, most: int, seconds: int) -> None:
        """Forgets the attempts at ``name``: the last one was right."""
        from limits import RateLimitItemPerSecond

        with _reported(self._allowed):
            await self._fixed.clear(RateLimitItemPerSecond(most, seconds), "attempt", name)

    async def _hit(self, amount: int, name: str, words: str) -> Window:
        from limits import RateLimitItemPerMinute

        item = RateLimitItemPerMinute(amount)
        with _reported(self._allowed):
            allowed = await self._requests.hit(item, name)
            resets_at, left = await self._requests.get_window_stats(item, name)
        if not allowed:
            raise TooManyRequestsError(
                f"The limit of {amount} {words} is reached.",
                "Wait, then go on more slowly.",
                retry_after_s=max(1.0, resets_at - time.time()),
            )
        return Window(amount, left, resets_at)

    async def _tokens_left(self, principal: Principal, amount: int) -> Window | None:
        from limits import RateLimitItemPerMinute

        if not amount:
            return None
        with _reported(self._allowed):
            resets_at, left = await self._fixed.get_window_stats(
                RateLimitItemPerMinute(amount), f"tokens:{principal.id}"
            )
        if not left:
            raise TooManyRequestsError(
                f"The limit of {amount} tokens a minute is reached.",
                "Wait, then go on more slowly.",
                retry_after_s=max(1.0, resets_at - time.time()),
            )
        return Window(amount, left, max(resets_at, time.time()))

    def _requests_of(self, principal: Principal) -> int:
        by_kind = {
            "user": self._settings.requests_per_minute_per_user,
            "key": self._settings.requests_per_minute_per_key,
            "fixed": self._settings.requests_per_minute_per_key,
            "nobody": 0,
        }
        return principal.limits.requests_per_minute or by_kind[principal.kind]

    def _tokens_of(self, principal: Principal) -> int:
        return principal.limits.tokens_per_minute or (
            0 if principal.kind == "nobody" else self._settings.tokens_per_minute
        )


class _reported:  # noqa: N801 - reads as a statement
    """Turns what the storage raises into our own error, without its text: that may hold the password of Redis.

    Args:
        allowed: whether the storage may be asked at all; the mode may have changed since the start.
    """

    def __init__(self, allowed: Callable[[], None]) -> None:
        self._allowed = allowed

    def __enter__(self) -> None:
        try:
            self._allowed()
        except LocalOnlyError as error:
            raise LimitsUnavailableError(
                "The limits are kept in Redis on another machine, and local-only mode is on.",
                "Switch it off, or clear access.redis_url.",
            ) from error

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        from limits.errors import StorageError

        if isinstance(error, StorageError):
            raise LimitsUnavailableError(
                "The limits are kept in Redis, and it does not answer.", "Start it, or clear access.redis_url."
            ) from None


def _openai(kind: str, window: Window) -> Sequence[tuple[bytes, bytes]]:
    seconds = max(0.0, window.resets_at - time.time())
    return [
        (f"x-ratelimit-limit-{kind}".encode(), str(window.amount).encode()),
        (f"x-ratelimit-remaining-{kind}".encode(), str(window.left).encode()),
        (f"x-ratelimit-reset-{kind}".encode(), f"{seconds:.3f}s".encode()),
    ]


def _anthropic(kind: str, window: Window) -> Sequence[tuple[bytes, bytes]]:
    moment = datetime.fromtimestamp(window.resets_at, UTC)
    return [
        (f"anthropic-ratelimit-{kind}-limit".encode(), str(window.amount).encode()),
        (f"anthropic-ratelimit-{kind}-remaining".encode(), str(window.left).encode()),
        (f"anthropic-ratelimit-{kind}-reset".encode(), f"{moment:%Y-%m-%dT%H:%M:%SZ}".encode()),
    ]

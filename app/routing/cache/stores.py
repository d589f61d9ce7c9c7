"""Where answers that may be given again are kept: in the vault, or in Redis, encrypted with a key of the vault's."""

from __future__ import annotations

import hashlib
import hmac
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from app.errors import PlaygroundError, SettingsError
from app.privacy.connections import ConnectionPolicy

if TYPE_CHECKING:
    from app.vault import Vault

OpenVault = Callable[[], "Vault | None"]
"""The vault, if it is open now."""

_SECRET = "answers-in-redis"  # noqa: S105 - its name
_PREFIX = "playground:answers"
_NONCE = 12
_LEAST_SHARED = 32

_PUT = """
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
local before = tonumber(redis.call('HGET', KEYS[3], ARGV[5]) or '0')
local total = redis.call('INCRBY', KEYS[4], #ARGV[1] - before)
redis.call('HSET', KEYS[3], ARGV[5], #ARGV[1])
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[5])
while total > tonumber(ARGV[4]) do
  local oldest = redis.call('ZPOPMIN', KEYS[2])
  if #oldest == 0 then break end
  local size = tonumber(redis.call('HGET', KEYS[3], oldest[1]) or '0')
  redis.call('HDEL', KEYS[3], oldest[1])
  redis.call('DEL', KEYS[5] .. oldest[1])
  total = redis.call('INCRBY', KEYS[4], -size)
end
"""
"""Keeps one answer and lets the least used go until the rest fits. Those that expired count until their turn comes."""


class CacheUnavailableError(PlaygroundError):
    """Answers are kept in Redis, and it does not answer."""

    title = "The cache cannot be read"
    code = "cache_unavailable"


class VaultAnswers:
    """Answers in the vault.

    Args:
        vault: the vault, if it is open now; nothing is remembered while it is not.
        ttl_s: seconds that an answer is good for.
        most_bytes: what all may take.
    """

    def __init__(self, vault: OpenVault, *, ttl_s: float, most_bytes: int) -> None:
        self._vault, self._ttl_s, self._most_bytes = vault, ttl_s, most_bytes

    async def get(self, key: bytes) -> bytes | None:
        """See ``AnswerStore.get``."""
        vault = self._vault()
        return None if vault is None else await vault.answers.get(key)

    async def used(self, key: bytes) -> None:
        """See ``AnswerStore.used``."""
        vault = self._vault()
        if vault is not None:
            await vault.answers.used(key)

    async def put(self, key: bytes, answer: bytes, model: str) -> None:
        """See ``AnswerStore.put``."""
        vault = self._vault()
        if vault is not None:
            await vault.answers.put(key, answer, model=model, ttl_s=self._ttl_s, most_bytes=self._most_bytes)

    async def aclose(self) -> None:
        """Nothing is held here."""


class RedisAnswers:
    """Answers in Redis. Neither what was asked nor what was answered can be read there.

    Both are sealed with a key that the vault alone has, or with one that several programs were given to share: names
    by HMAC-SHA-256, answers by ChaCha20-Poly1305, each bound to its name. Programs with the same key share answers.

    Args:
        url: ``redis://`` or ``rediss://``.
        vault: the vault, if it is open now; nothing is remembered while it is not.
        policy: whether Redis may be connected to.
        ttl_s: seconds that an answer is good for.
        most_bytes: what all may take.
        shared_key: seals in the place of the vault's key; empty for none.

    Raises:
        SettingsError: when the URL is not one of Redis, or the shared key is short; neither is repeated.
    """

    def __init__(
        self,
        url: str,
        vault: OpenVault,
        policy: ConnectionPolicy,
        *,
        ttl_s: float,
        most_bytes: int,
        shared_key: str = "",
    ) -> None:
        if not url.startswith(("redis://", "rediss://")):
            raise SettingsError(
                "routing.cache_redis_url is not an address of Redis.",
                "Write it as redis://HOST:PORT/NUMBER, or rediss://.",
            )
        if shared_key and len(shared_key) < _LEAST_SHARED:
            raise SettingsError(
                f"routing.cache_redis_key has {len(shared_key)} characters; it needs {_LEAST_SHARED} at least.",
                "Make one that nobody can guess: openssl rand -base64 32",
            )
        self._url, self._vault, self._policy = url, vault, policy
        self._shared = hashlib.sha512(f"{_SECRET}:{shared_key}".encode()).digest() if shared_key else None
        self._ttl_ms, self._most_bytes = max(1, int(ttl_s * 1000)), most_bytes
        self._redis: Any = None
        self._secret: bytes | None = None

    async def get(self, key: bytes) -> bytes | None:
        """See ``AnswerStore.get``. What was not sealed by us is no answer.

        Raises:
            LocalOnlyError: when Redis is elsewhere, and nothing may leave this machine.
            CacheUnavailableError: when it does not answer.
        """
        secret = await self._opened()
        if secret is None:
            return None
        name = _name(secret, key)
        sealed = await self._asked("GET", f"{_PREFIX}:{name}")
        return None if sealed is None else _unsealed(secret, name, sealed)

    async def used(self, key: bytes) -> None:
        """See ``AnswerStore.used``."""
        secret = await self._opened()
        if secret is not None:
            await self._asked("ZADD", f"{_PREFIX}:used", "XX", time.time(), _name(secret, key))

    async def put(self, key: bytes, answer: bytes, model: str) -> None:
        """See ``AnswerStore.put``; ``model`` is not told to Redis."""
        secret = await self._opened()
        if secret is None:
            return
        name = _name(secret, key)
        sealed = _sealed(secret, name, answer)
        if len(sealed) > self._most_bytes:
            return
        keys = (f"{_PREFIX}:{name}", f"{_PREFIX}:used", f"{_PREFIX}:sizes", f"{_PREFIX}:bytes", f"{_PREFIX}:")
        await self._asked("EVAL", _PUT, len(keys), *keys, sealed, time.time(), self._ttl_ms, self._most_bytes, name)

    async def aclose(self) -> None:
        """Closes the connection."""
        if self._redis is not None:
            await self._redis.aclose()
            self._redis = None

    async def _opened(self) -> bytes | None:
        """The key, while the vault is open; it is forgotten with it."""
        vault = self._vault()
        if vault is None:
            self._secret = None
            return None
        self._policy.require(self._url, "keep answers in Redis")
        if self._shared is not None:
            return self._shared
        if self._secret is None:
            self._secret = await vault.secrets.get_or_make(_SECRET, 64)
        return self._secret

    async def _asked(self, *words: object) -> Any:
        from redis.asyncio import Redis
        from redis.exceptions import RedisError

        try:
            if self._redis is None:
                self._redis = Redis.from_url(self._url, socket_connect_timeout=1.0, socket_timeout=2.0)
            return await self._redis.execute_command(*words)
        except (RedisError, OSError, ValueError):
            # Its own words may hold the password of the URL.
            raise CacheUnavailableError(
                "Answers are kept in Redis, and it does not answer.", "Start it, or clear routing.cache_redis_url."
            ) from None


def _name(secret: bytes, key: bytes) -> str:
    return hmac.new(secret[32:], key, hashlib.sha256).hexdigest()


def _sealed(secret: bytes, name: str, answer: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    nonce = os.urandom(_NONCE)
    return nonce + ChaCha20Poly1305(secret[:32]).encrypt(nonce, answer, name.encode())


def _unsealed(secret: bytes, name: str, sealed: bytes) -> bytes | None:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    try:
        return ChaCha20Poly1305(secret[:32]).decrypt(sealed[:_NONCE], sealed[_NONCE:], name.encode())
    except (InvalidTag, ValueError):
        return None

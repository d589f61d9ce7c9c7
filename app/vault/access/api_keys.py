"""API keys: made and shown once, kept as their SHA-256, and what each may do.

A key has 256 random bits, so a plain hash cannot be turned back; slow hashes are for passwords.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec import Struct

from app.errors import InvalidRequestError, UnknownKeyError
from app.vault.storage.database import Database

from .limits import NO_ACCESS_LIMITS, AccessLimits

if TYPE_CHECKING:
    from sqlcipher3.dbapi2 import Connection

Scope = Literal["chat", "embed", "admin"]
SCOPES: tuple[Scope, ...] = ("chat", "embed", "admin")

PREFIX = "pg-"
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_DIGITS = 43  # 62^43 > 2^256
_WRITTEN = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{_DIGITS}}}")
_COLUMNS = "id, name, sha256, scopes, created_at, expires_at, revoked_at, last_used_at, limits"
_SELECT = f"SELECT {_COLUMNS} FROM api_keys"  # noqa: S608 - its own columns


class ApiKey(Struct, frozen=True, kw_only=True):
    """What is kept of a key; not the key itself. Times are seconds since 1970.

    Attributes:
        id: a short word to name it by in lists.
        scopes: what it may do.
        expires_at: None for never.
        last_used_at: to the minute; None before its first use.
    """

    id: str
    name: str
    scopes: tuple[Scope, ...]
    created_at: float
    expires_at: float | None = None
    revoked_at: float | None = None
    last_used_at: float | None = None
    limits: AccessLimits = AccessLimits()

    def valid_at(self, moment: float) -> bool:
        """Whether it opens anything then."""
        return self.revoked_at is None and (self.expires_at is None or moment < self.expires_at)


def new_secret(prefix: str = PREFIX) -> str:
    """256 random bits in letters and digits behind ``prefix``."""
    number = secrets.randbits(256)
    digits = []
    for _ in range(_DIGITS):
        number, digit = divmod(number, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return prefix + "".join(digits)


def digest(secret: str) -> bytes:
    """What is kept of a key or token: its SHA-256, 32 bytes."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def looks_like_key(text: str) -> bool:
    """Whether ``text`` is written as the keys of the vault are."""
    return _WRITTEN.fullmatch(text) is not None


class ApiKeys:
    """The keys in the vault."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    async def create(
        self,
        name: str,
        scopes: Iterable[Scope] = ("chat", "embed"),
        *,
        expires_at: float | None = None,
        limits: AccessLimits = NO_ACCESS_LIMITS,
    ) -> tuple[ApiKey, str]:
        """Makes a key. Its text is given this once and cannot be had again.

        Raises:
            InvalidRequestError: when the name is empty or taken by a key that is still valid, or there is no scope.
        """
        chosen = tuple(scope for scope in SCOPES if scope in set(scopes))
        named = " ".join(name.split())
        if not named or not named.isprintable() or len(named) > 100:
            raise InvalidRequestError(f"A key is called {name!r}; expected 1 to 100 visible characters.")
        if not chosen:
            raise InvalidRequestError("The key has no scope.", f"Give one of: {', '.join(SCOPES)}.")
        now, text = self._clock(), new_secret()
        made = ApiKey(
            id=secrets.token_hex(4), name=named, scopes=chosen, created_at=now, expires_at=expires_at, limits=limits
        )

        def write(connection: Connection) -> None:
            rows = connection.execute(f"{_SELECT} WHERE name = ?", (named,)).fetchall()
            if any(_key(row).valid_at(now) for row in rows):
                raise InvalidRequestError(
                    f"There is a key {named!r} already.", "Choose another name, or revoke that one first."
                )
            connection.execute(
                f"INSERT INTO api_keys ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, NULL, NULL, ?)",  # noqa: S608
                (
                    *(made.id, named, digest(text), ",".join(chosen), now, expires_at),
                    msgspec.json.encode(limits).decode(),
                ),
            )

        await self._database.write(write)
        return made, text

    async def identify(self, text: str) -> ApiKey | None:
        """The key that ``text`` is, valid or not; None when there is no such key."""
        wanted = digest(text)

        def read(connection: Connection) -> ApiKey | None:
            row = connection.execute(f"{_SELECT} WHERE sha256 = ?", (wanted,)).fetchone()
            # The index compares digests of what was sent, which say nothing of a key; this compares in constant time.
            return _key(row) if row is not None and hmac.compare_digest(bytes(row[2]), wanted) else None

        return await self._database.read(read)

    async def list(self) -> tuple[ApiKey, ...]:
        """Every key, newest first, those that are no longer valid too."""
        rows = await self._database.read(lambda c: c.execute(f"{_SELECT} ORDER BY number DESC").fetchall())
        return tuple(map(_key, rows))

    async def find(self, words: str) -> ApiKey:
        """The key with this id or name; of several with one name, the valid one.

        Raises:
            UnknownKeyError: when there is none.
        """
        now = self._clock()
        found = [key for key in await self.list() if words in (key.id, key.name)]
        if not found:
            raise UnknownKeyError(f"There is no key {words!r}.", "See them all: playground keys list")
        return min(found, key=lambda key: not key.valid_at(now))

    async def revoke(self, key_id: str) -> None:
        """From now on the key opens nothing. It stays in the list, for its usage.

        Raises:
            UnknownKeyError: when there is none with this id.
        """

        def write(connection: Connection) -> None:
            done = connection.execute(
                "UPDATE api_keys SET revoked_at = coalesce(revoked_at, ?) WHERE id = ?", (self._clock(), key_id)
            )
            if not done.rowcount:
                raise UnknownKeyError(f"There is no key {key_id!r}.", "See them all: playground keys list")

        await self._database.write(write)

    async def used(self, last_used: dict[str, float]) -> None:
        """Notes when keys, by their ids, were used last."""
        await self._database.write(
            lambda c: c.executemany(
                "UPDATE api_keys SET last_used_at = max(coalesce(last_used_at, 0), ?) WHERE id = ?",
                [(at, key_id) for key_id, at in last_used.items()],
            )
        )


def _key(row: tuple[object, ...]) -> ApiKey:
    key_id, name, _, scopes, created, expires, revoked, used, limits = row
    return msgspec.convert(
        {
            "id": key_id,
            "name": name,
            "scopes": str(scopes).split(","),
            "created_at": created,
            "expires_at": expires,
            "revoked_at": revoked,
            "last_used_at": used,
            "limits": msgspec.json.decode(str(limits)),
        },
        ApiKey,
    )

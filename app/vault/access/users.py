"""Users of the server, and their sign-ins."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec import Struct

from app.errors import InvalidRequestError, UnknownUserError
from app.vault.storage.database import Database

from .api_keys import digest, new_secret
from .limits import NO_ACCESS_LIMITS, AccessLimits

if TYPE_CHECKING:
    from sqlcipher3.dbapi2 import Connection

Role = Literal["admin", "user", "read-only"]
ROLES: tuple[Role, ...] = ("admin", "user", "read-only")

REFRESH_PREFIX = "pgr-"
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._@-]{0,62}[a-z0-9])?")
_SELECT = "SELECT name, role, created_at, disabled_at, limits FROM users"


class User(Struct, frozen=True, kw_only=True):
    """One user, without the password. Times are seconds since 1970."""

    name: str
    role: Role
    created_at: float
    disabled_at: float | None = None
    limits: AccessLimits = AccessLimits()


class SignIn(Struct, frozen=True, kw_only=True):
    """What a sign-in gives: who it is, its id, and the token that renews it, shown this once."""

    user: User
    id: str
    refresh_token: str

    def __repr__(self) -> str:
        return f"SignIn(user={self.user.name!r}, id={self.id!r})"


class Users:
    """The users in the vault."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    async def add(
        self,
        name: str,
        password_hash: str,
        role: Role = "user",
        limits: AccessLimits = NO_ACCESS_LIMITS,
    ) -> User:
        """Makes a user. ``password_hash`` comes from ``passwords.hashed``.

        Raises:
            InvalidRequestError: when the name is taken, or not one.
        """
        if not _NAME.fullmatch(name):
            raise InvalidRequestError(
                f"A user is called {name!r}; expected 1 to 64 of a-z, 0-9, dot, @, dash and underscore."
            )
        made = User(name=name, role=role, created_at=self._clock(), limits=limits)

        def write(connection: Connection) -> None:
            if connection.execute("SELECT 1 FROM users WHERE name = ?", (name,)).fetchone():
                raise InvalidRequestError(f"There is a user {name!r} already.", "Choose another name.")
            connection.execute(
                "INSERT INTO users (name, password, role, created_at, limits) VALUES (?, ?, ?, ?, ?)",
                (name, password_hash, role, made.created_at, msgspec.json.encode(limits).decode()),
            )

        await self._database.write(write)
        return made

    async def list(self) -> tuple[User, ...]:
        """Every user, by name."""
        rows = await self._database.read(lambda c: c.execute(f"{_SELECT} ORDER BY name").fetchall())
        return tuple(map(_user, rows))

    async def get(self, name: str) -> User:
        """The user of this name.

        Raises:
            UnknownUserError: when there is none.
        """
        row = await self._database.read(lambda c: c.execute(f"{_SELECT} WHERE name = ?", (name,)).fetchone())
        if row is None:
            raise _unknown(name)
        return _user(row)

    async def password_of(self, name: str) -> str | None:
        """The kept hash of a user who may sign in; None when there is none, or they are disabled."""
        row = await self._database.read(
            lambda c: c.execute("SELECT password FROM users WHERE name = ? AND disabled_at IS NULL", (name,)).fetchone()
        )
        return None if row is None else str(row[0])

    async def set_password(self, name: str, password_hash: str) -> None:
        """Another password; every sign-in of the user ends.

        Raises:
            UnknownUserError: when there is no such user.
        """
        await self._change(name, "password = ?", password_hash)

    async def disable(self, name: str) -> None:
        """The user can do nothing any more, and every sign-in ends.

        Raises:
            UnknownUserError: when there is no such user.
        """
        await self._change(name, "disabled_at = coalesce(disabled_at, ?)", self._clock())

    async def enable(self, name: str) -> None:
        """The user can sign in again.

        Raises:
            UnknownUserError: when there is no such user.
        """
        await self._change(name, "disabled_at = ?", None)

    async def _change(self, name: str, change: str, value: object) -> None:
        def write(connection: Connection) -> None:
            done = connection.execute(f"UPDATE users SET {change} WHERE name = ?", (value, name))  # noqa: S608
            if not done.rowcount:
                raise _unknown(name)
            connection.execute(
                "UPDATE sign_ins SET ended_at = ? WHERE user = ? AND ended_at IS NULL", (self._clock(), name)
            )

        await self._database.write(write)

    # Sign-ins

    async def sign_in(self, name: str, lasts_s: float) -> SignIn:
        """Begins a sign-in, once the password was found to fit. It lasts so many seconds, however often renewed.

        Raises:
            UnknownUserError: when there is no such user, or they are disabled.
        """
        token, family, now = new_secret(REFRESH_PREFIX), secrets.token_hex(16), self._clock()

        def write(connection: Connection) -> User:
            user = _enabled(connection, name)
            connection.execute("DELETE FROM sign_ins WHERE expires_at < ?", (now,))
            connection.execute(
                "INSERT INTO sign_ins (id, user, created_at, expires_at) VALUES (?, ?, ?, ?)",
                (family, name, now, now + lasts_s),
            )
            _keep_token(connection, token, family, now)
            return user

        return SignIn(user=await self._database.write(write), id=family, refresh_token=token)

    async def renew(self, refresh_token: str) -> SignIn | None:
        """Takes a refresh token and gives the next one.

        A token that was used before is stolen, by whoever asks now or by whoever asked first: the whole sign-in ends.

        Returns:
            None when the token is unknown, used, or its sign-in has ended.
        """
        wanted, token, now = digest(refresh_token), new_secret(REFRESH_PREFIX), self._clock()

        def write(connection: Connection) -> SignIn | None:
            row = connection.execute(
                "SELECT s.id, s.user, s.expires_at, s.ended_at, t.used_at FROM refresh_tokens t"
                " JOIN sign_ins s ON s.id = t.family WHERE t.sha256 = ?",
                (wanted,),
            ).fetchone()
            if row is None:
                return None
            family, name, expires_at, ended_at, used_at = row
            if used_at is not None:
                _end(connection, family, now)
                return None
            if ended_at is not None or expires_at <= now:
                return None
            try:
                user = _enabled(connection, name)
            except UnknownUserError:
                return None
            connection.execute("UPDATE refresh_tokens SET used_at = ? WHERE sha256 = ?", (now, wanted))
            _keep_token(connection, token, family, now)
            return SignIn(user=user, id=family, refresh_token=token)

        return await self._database.write(write)

    async def sign_out(self, sign_in: str) -> None:
        """Ends a sign-in: neither its tokens nor what they gave are worth anything."""
        await self._database.write(lambda c: _end(c, sign_in, self._clock()))

    async def signed_in(self, sign_in: str) -> User | None:
        """Whose sign-in this is; None when it has ended, or the user is disabled."""

        def read(connection: Connection) -> User | None:
            row = connection.execute(
                "SELECT u.name, u.role, u.created_at, u.disabled_at, u.limits FROM users u"
                " JOIN sign_ins s ON s.user = u.name WHERE s.id = ? AND s.ended_at IS NULL AND s.expires_at > ?"
                " AND u.disabled_at IS NULL",
                (sign_in, self._clock()),
            ).fetchone()
            return None if row is None else _user(row)

        return await self._database.read(read)


def _enabled(connection: Connection, name: str) -> User:
    row = connection.execute(f"{_SELECT} WHERE name = ? AND disabled_at IS NULL", (name,)).fetchone()
    if row is None:
        raise _unknown(name)
    return _user(row)


def _keep_token(connection: Connection, token: str, family: str, now: float) -> None:
    connection.execute(
        "INSERT INTO refresh_tokens (sha256, family, issued_at) VALUES (?, ?, ?)", (digest(token), family, now)
    )


def _end(connection: Connection, family: str, now: float) -> None:
    connection.execute("UPDATE sign_ins SET ended_at = coalesce(ended_at, ?) WHERE id = ?", (now, family))


def _user(row: tuple[object, ...]) -> User:
    name, role, created, disabled, limits = row
    return msgspec.convert(
        {
            "name": name,
            "role": role,
            "created_at": created,
            "disabled_at": disabled,
            "limits": msgspec.json.decode(str(limits)),
        },
        User,
    )


def _unknown(name: str) -> UnknownUserError:
    return UnknownUserError(f"There is no user {name!r}.", "See them all: playground users list")

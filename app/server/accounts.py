"""Routes for people and their keys: sign in, renew, sign out, users, keys, usage. Behind the gate, as all are."""

from __future__ import annotations

import csv
import io
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.errors import InvalidRequestError, PlaygroundError, UnknownUserError
from app.vault import Vault
from app.vault.access_limits import NO_ACCESS_LIMITS, AccessLimits
from app.vault.api_keys import Scope
from app.vault.passwords import checked
from app.vault.usage import UsageRow
from app.vault.users import Role, SignIn

from .auth.identifying import Identification
from .auth.passwords import Passwords
from .blocking import network_of
from .error_shapes import shape, status_of
from .limits import RateLimits
from .metering import Ledger, principal_of
from .observing.exchange import note_error
from .refusals import KeyRefusedError

T = TypeVar("T")

_SAME_PLACE = (5, 60)
_SAME_NAME = (50, 900)
"""Wrong passwords, and the seconds in which: from one address for one name, and for a name from anywhere."""


class LoginBody(Struct, frozen=True, forbid_unknown_fields=True):
    """``POST /auth/login``."""

    name: str
    password: str

    def __repr__(self) -> str:
        return f"LoginBody(name={self.name!r})"


class RefreshBody(Struct, frozen=True, forbid_unknown_fields=True):
    """``POST /auth/refresh``."""

    refresh_token: str

    def __repr__(self) -> str:
        return "RefreshBody()"


class UserBody(Struct, frozen=True, forbid_unknown_fields=True):
    """``POST /users``."""

    name: str
    password: str
    role: Role = "user"
    limits: AccessLimits = NO_ACCESS_LIMITS

    def __repr__(self) -> str:
        return f"UserBody(name={self.name!r}, role={self.role!r})"


class PasswordBody(Struct, frozen=True, forbid_unknown_fields=True):
    """``POST /users/{name}/password``."""

    password: str

    def __repr__(self) -> str:
        return "PasswordBody()"


class KeyBody(Struct, frozen=True, forbid_unknown_fields=True):
    """``POST /keys``."""

    name: str
    scopes: tuple[Scope, ...] = ("chat", "embed")
    expires_at: float | None = None
    limits: AccessLimits = NO_ACCESS_LIMITS


@dataclass(frozen=True)
class Accounts:
    """What the routes do."""

    vault: Vault
    identification: Identification
    passwords: Passwords
    limits: RateLimits
    ledger: Ledger
    sign_in_s: float

    async def login(self, request: Request) -> Response:
        """Name and password for tokens."""
        body = await _read(request, LoginBody)
        address = network_of(request.client.host) if request.client else ""
        name = body.name[:64]
        here = f"{name}@{address}"
        await self.limits.attempt(here, *_SAME_PLACE)
        await self.limits.attempt(name, *_SAME_NAME)
        if not await self.passwords.fit(name, body.password):
            raise KeyRefusedError("The name or the password is wrong.")
        try:
            sign_in = await self.vault.users.sign_in(name, self.sign_in_s)
        except UnknownUserError as error:  # disabled while the password was compared
            raise KeyRefusedError("The name or the password is wrong.") from error
        await self.limits.forgive(here, *_SAME_PLACE)
        return await self._tokens(sign_in)

    async def refresh(self, request: Request) -> Response:
        """A refresh token for the next tokens."""
        body = await _read(request, RefreshBody)
        sign_in = await self.vault.users.renew(body.refresh_token)
        if sign_in is None:
            self.identification.forget()  # a token that was used twice has just ended its sign-in
            raise KeyRefusedError("The refresh token is not valid.", "Sign in again: POST /auth/login")
        return await self._tokens(sign_in)

    async def logout(self, request: Request) -> Response:
        """Ends the sign-in of the token that came with it."""
        sign_in = principal_of(request.scope).sign_in
        if sign_in:
            await self.vault.users.sign_out(sign_in)
            self.identification.forget()
        return Response(status_code=204)

    async def me(self, request: Request) -> Response:
        """Who asks."""
        principal = principal_of(request.scope)
        return _json(
            {
                "kind": principal.kind,
                "id": principal.id,
                "name": principal.name,
                "role": principal.role,
                "scopes": principal.scopes,
                "limits": principal.limits,
            }
        )

    async def list_users(self, request: Request) -> Response:
        """Every user."""
        return _json({"users": await self.vault.users.list()})

    async def add_user(self, request: Request) -> Response:
        """A new user."""
        body = await _read(request, UserBody)
        kept = await self.passwords.hashed(checked(body.password))
        return _json(await self.vault.users.add(body.name, kept, body.role, body.limits), 201)

    async def change_user(self, request: Request) -> Response:
        """Disables or enables a user, or sets the password."""
        name, change = request.path_params["name"], request.path_params["change"]
        users = self.vault.users
        if change == "password":
            body = await _read(request, PasswordBody)
            await users.set_password(name, await self.passwords.hashed(checked(body.password)))
        elif change == "disable":
            await users.disable(name)
        elif change == "enable":
            await users.enable(name)
        else:
            raise UnknownUserError(f"There is nothing called {change!r} to do with a user.")
        self.identification.forget()
        return _json(await users.get(name))

    async def list_keys(self, request: Request) -> Response:
        """Every key, without its text."""
        return _json({"keys": await self.vault.api_keys.list()})

    async def add_key(self, request: Request) -> Response:
        """A new key, its text shown this once."""
        body = await _read(request, KeyBody)
        made, text = await self.vault.api_keys.create(
            body.name, body.scopes, expires_at=body.expires_at, limits=body.limits
        )
        return _json({**msgspec.to_builtins(made), "key": text}, 201)

    async def revoke_key(self, request: Request) -> Response:
        """Ends a key."""
        key = await self.vault.api_keys.find(request.path_params["key"])
        await self.vault.api_keys.revoke(key.id)
        self.identification.forget()
        return Response(status_code=204)

    async def usage(self, request: Request) -> Response:
        """Rows of usage, one's own; an administrator's of everybody. ``?format=csv``, ``since``, ``until``, ``key``."""
        principal, asked = principal_of(request.scope), request.query_params
        wanted = asked.get("key") if principal.role == "admin" else principal.id
        since, until = _moment(asked.get("since"), "since"), _moment(asked.get("until"), "until")
        await self.ledger.flush()
        rows = await self.vault.usage.rows(key=wanted, since=since or 0.0, until=until)
        if asked.get("format") == "csv":
            return Response(as_csv(rows), media_type="text/csv; charset=utf-8")
        return _json({"usage": rows})

    async def _tokens(self, sign_in: SignIn) -> Response:
        tokens = self.identification.tokens
        answer = {
            "access_token": await tokens.give(sign_in),
            "token_type": "bearer",
            "expires_in": int(tokens.lasts_s),
            "refresh_token": sign_in.refresh_token,
            "role": sign_in.user.role,
        }
        response = _json(answer)
        response.headers["cache-control"] = "no-store"
        return response


def accounts(
    vault: Vault, identification: Identification, limits: RateLimits, ledger: Ledger, sign_in_s: float
) -> Starlette:
    """The routes as an application of their own; which of them needs what is in ``auth/needs.py``."""
    told = Accounts(vault, identification, Passwords(vault.users), limits, ledger, sign_in_s)
    routes = [
        Route("/auth/login", _answering(told.login), methods=["POST"]),
        Route("/auth/refresh", _answering(told.refresh), methods=["POST"]),
        Route("/auth/logout", _answering(told.logout), methods=["POST"]),
        Route("/auth/me", _answering(told.me)),
        Route("/users", _answering(told.list_users)),
        Route("/users", _answering(told.add_user), methods=["POST"]),
        Route("/users/{name}/{change}", _answering(told.change_user), methods=["POST"]),
        Route("/keys", _answering(told.list_keys)),
        Route("/keys", _answering(told.add_key), methods=["POST"]),
        Route("/keys/{key}", _answering(told.revoke_key), methods=["DELETE"]),
        Route("/usage", _answering(told.usage)),
    ]
    application = Starlette(routes=routes)
    application.router.redirect_slashes = False
    return application


def as_csv(rows: tuple[UsageRow, ...]) -> str:
    """Rows of usage as CSV (RFC 4180), with a head. What a spreadsheet would take for a formula is made text."""
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(UsageRow.__struct_fields__)
    writer.writerows([_plain(getattr(row, name)) for name in UsageRow.__struct_fields__] for row in rows)
    return written.getvalue()


def _plain(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


def _answering(work: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    async def answered(request: Request) -> Response:
        try:
            return await work(request)
        except PlaygroundError as error:
            note_error(request.scope, error, status_of(error))
            body, headers = shape(request.scope["path"], error)
            return Response(body, status_of(error), headers)

    return answered


async def _read(request: Request, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(await request.body(), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidRequestError(f"The body is not what is expected here: {error}.") from error


def _moment(text: str | None, name: str) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError as error:
        raise InvalidRequestError(f"{name} is {text!r}; expected seconds since 1970.") from error


def _json(value: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")

"""Routes for people and their keys: sign in, renew, sign out, users, keys, usage. Behind the gate, as all are."""

from __future__ import annotations

import csv
import io
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, TypeVar

import msgspec
from msgspec import Struct
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.errors import InvalidRequestError, PlaygroundError, UnknownUserError
from app.server.auth.identifying import Identification
from app.server.auth.passwords import Passwords
from app.server.auth.principal import principal_of
from app.server.error_shapes import shape, status_of
from app.server.gate.blocking import network_of
from app.server.gate.limits import RateLimits
from app.server.gate.refusals import KeyRefusedError
from app.server.metering.ledger import Ledger
from app.server.observing.exchange import note_error
from app.vault import Vault
from app.vault.access.passwords import checked
from app.vault.access.users import SignIn, User
from app.vault.activity.usage import UsageRow

from .wire import (
    Asker,
    KeyBody,
    KeyList,
    LoginBody,
    NewKey,
    PasswordBody,
    RefreshBody,
    SignedIn,
    UsageList,
    UserBody,
    UserList,
)

T = TypeVar("T")

_SAME_PLACE = (5, 60)
_SAME_NAME = (50, 900)
"""Wrong passwords, and the seconds in which: from one address for one name, and for a name from anywhere."""


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
        asker = Asker(principal.kind, principal.id, principal.name, principal.role, principal.scopes, principal.limits)
        return _json(asker)

    async def list_users(self, request: Request) -> Response:
        """Every user."""
        return _json(UserList(tuple(await self.vault.users.list())))

    async def add_user(self, request: Request) -> Response:
        """A new user."""
        body = await _read(request, UserBody)
        kept = await self._hashed(body.password)
        return _json(await self.vault.users.add(body.name, kept, body.role, body.limits), 201)

    async def set_password(self, request: Request) -> Response:
        """Sets a user's password, and ends their sign-ins."""
        body = await _read(request, PasswordBody)
        return await self._changed(request, self.vault.users.set_password, await self._hashed(body.password))

    async def disable_user(self, request: Request) -> Response:
        """Lets a user in no more."""
        return await self._changed(request, self.vault.users.disable)

    async def enable_user(self, request: Request) -> Response:
        """Lets a user in again."""
        return await self._changed(request, self.vault.users.enable)

    async def list_keys(self, request: Request) -> Response:
        """Every key, without its text."""
        return _json(KeyList(tuple(await self.vault.api_keys.list())))

    async def add_key(self, request: Request) -> Response:
        """A new key, its text shown this once."""
        body = await _read(request, KeyBody)
        made, text = await self.vault.api_keys.create(
            body.name, body.scopes, expires_at=body.expires_at, limits=body.limits
        )
        return _json(NewKey(**msgspec.structs.asdict(made), key=text), 201)

    async def revoke_key(self, request: Request) -> Response:
        """Ends a key."""
        key = await self.vault.api_keys.find(request.path_params["key"])
        await self.vault.api_keys.revoke(key.id)
        self.identification.forget()
        return Response(status_code=204)

    async def usage(self, request: Request) -> Response:
        """Rows of usage, one's own; for administrators those of everybody, or of one ``key``."""
        principal, asked = principal_of(request.scope), request.query_params
        wanted = asked.get("key") if principal.role == "admin" else principal.id
        since, until = _moment(asked.get("since"), "since"), _moment(asked.get("until"), "until")
        await self.ledger.flush()
        rows = await self.vault.usage.rows(key=wanted, since=since or 0.0, until=until)
        if asked.get("format") == "csv":
            return Response(as_csv(rows), media_type="text/csv; charset=utf-8")
        return _json(UsageList(tuple(rows)))

    async def _hashed(self, password: str) -> str:
        return await self.passwords.hashed(checked(password))

    async def _changed(self, request: Request, change: Callable[..., Awaitable[object]], *given: str) -> Response:
        name = request.path_params["name"]
        await change(name, *given)
        self.identification.forget()
        return _json(await self.vault.users.get(name))

    async def _tokens(self, sign_in: SignIn) -> Response:
        tokens = self.identification.tokens
        signed = SignedIn(
            access_token=await tokens.give(sign_in),
            expires_in=int(tokens.lasts_s),
            refresh_token=sign_in.refresh_token,
            role=sign_in.user.role,
        )
        response = _json(signed)
        response.headers["cache-control"] = "no-store"
        return response


@dataclass(frozen=True)
class AccountRoute:
    """One of them.

    Attributes:
        work: what it does; its docstring describes it.
        body: what is sent; None for nothing.
        reply: what is answered; None for nothing.
    """

    method: Literal["GET", "POST", "DELETE"]
    path: str
    work: Callable[[Accounts, Request], Awaitable[Response]]
    body: type[Struct] | None = None
    reply: type[Struct] | None = None
    status: int = 200


ACCOUNT_ROUTES = (
    AccountRoute("POST", "/auth/login", Accounts.login, LoginBody, SignedIn),
    AccountRoute("POST", "/auth/refresh", Accounts.refresh, RefreshBody, SignedIn),
    AccountRoute("POST", "/auth/logout", Accounts.logout, status=204),
    AccountRoute("GET", "/auth/me", Accounts.me, reply=Asker),
    AccountRoute("GET", "/users", Accounts.list_users, reply=UserList),
    AccountRoute("POST", "/users", Accounts.add_user, UserBody, User, 201),
    AccountRoute("POST", "/users/{name}/password", Accounts.set_password, PasswordBody, User),
    AccountRoute("POST", "/users/{name}/disable", Accounts.disable_user, reply=User),
    AccountRoute("POST", "/users/{name}/enable", Accounts.enable_user, reply=User),
    AccountRoute("GET", "/keys", Accounts.list_keys, reply=KeyList),
    AccountRoute("POST", "/keys", Accounts.add_key, KeyBody, NewKey, 201),
    AccountRoute("DELETE", "/keys/{key}", Accounts.revoke_key, status=204),
    AccountRoute("GET", "/usage", Accounts.usage, reply=UsageList),
)


def accounts(
    vault: Vault, identification: Identification, limits: RateLimits, ledger: Ledger, sign_in_s: float
) -> Starlette:
    """The routes as an application of their own; which of them needs what is in ``auth/needs.py``."""
    told = Accounts(vault, identification, Passwords(vault.users), limits, ledger, sign_in_s)
    application = Starlette(
        routes=[
            Route(route.path, _answering(partial(route.work, told)), methods=[route.method]) for route in ACCOUNT_ROUTES
        ],
        exception_handlers={HTTPException: _unrouted},
    )
    application.router.redirect_slashes = False
    return application


async def _unrouted(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    refusal = InvalidRequestError(f"{request.method} {request.scope['path'][:200]} is nothing that is done here.")
    note_error(request.scope, refusal, error.status_code)
    body, headers = shape(request.scope["path"], refusal, error.status_code)
    return Response(body, error.status_code, {**(error.headers or {}), **headers})


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

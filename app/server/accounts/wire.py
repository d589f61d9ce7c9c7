"""What is said to and by the routes for people and their keys."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from app.vault.access.api_keys import ApiKey, Scope
from app.vault.access.limits import NO_ACCESS_LIMITS, AccessLimits
from app.vault.access.users import Role, User
from app.vault.activity.usage import UsageRow


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
    """``POST /keys``. ``expires_at`` is in seconds since 1970."""

    name: str
    scopes: tuple[Scope, ...] = ("chat", "embed")
    expires_at: float | None = None
    limits: AccessLimits = NO_ACCESS_LIMITS


class SignedIn(Struct, frozen=True, kw_only=True):
    """Tokens. ``access_token`` opens for ``expires_in`` seconds; ``refresh_token`` gives the next ones, once."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - a word of OAuth
    expires_in: int
    refresh_token: str
    role: Role

    def __repr__(self) -> str:
        return f"SignedIn(role={self.role!r})"


class Asker(Struct, frozen=True):
    """Who asks."""

    kind: Literal["key", "fixed", "user", "nobody"]
    id: str
    name: str
    role: Role
    scopes: tuple[Scope, ...]
    limits: AccessLimits


class UserList(Struct, frozen=True):
    """Every user, without passwords."""

    users: tuple[User, ...]


class KeyList(Struct, frozen=True):
    """Every key, without its text."""

    keys: tuple[ApiKey, ...]


class NewKey(ApiKey, frozen=True, kw_only=True):
    """A key with its text, which is shown this once."""

    key: str

    def __repr__(self) -> str:
        return f"NewKey(id={self.id!r})"


class UsageList(Struct, frozen=True):
    """Rows of usage, one an answer."""

    usage: tuple[UsageRow, ...]

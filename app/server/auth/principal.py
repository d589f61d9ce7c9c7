"""Who asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from app.vault.access.api_keys import SCOPES, ApiKey, Scope
from app.vault.access.limits import NO_ACCESS_LIMITS, AccessLimits
from app.vault.access.users import Role, User

ROLE_SCOPES: Mapping[Role, tuple[Scope, ...]] = {"admin": SCOPES, "user": ("chat", "embed"), "read-only": ()}
"""What each role may do. Who has no scope still reads what needs none: the models, their own usage."""


@dataclass(frozen=True)
class Principal:
    """Who a request is from, and what they may do.

    Attributes:
        kind: ``key`` from the vault, ``fixed`` from the environment, ``user`` by a token, ``nobody`` where no key is
            needed or none was given.
        id: what usage and limits are counted by; says nothing secret.
        sign_in: of a user, which sign-in the token belongs to.
    """

    kind: Literal["key", "fixed", "user", "nobody"]
    id: str
    name: str
    role: Role
    scopes: tuple[Scope, ...]
    limits: AccessLimits = NO_ACCESS_LIMITS
    sign_in: str = ""

    @classmethod
    def of_key(cls, key: ApiKey) -> Principal:
        """The bearer of a key."""
        role: Role = "admin" if "admin" in key.scopes else "user"
        return cls("key", key.id, key.name, role, key.scopes, key.limits)

    @classmethod
    def of_fixed(cls, number: int) -> Principal:
        """The bearer of the environment's key with this number, from 1. It may chat and embed, not administer."""
        return cls("fixed", f"fixed:{number}", f"PLAYGROUND_API_KEYS {number}", "user", ROLE_SCOPES["user"])

    @classmethod
    def of_user(cls, user: User, sign_in: str) -> Principal:
        """A user who is signed in."""
        return cls("user", f"user:{user.name}", user.name, user.role, ROLE_SCOPES[user.role], user.limits, sign_in)


ANYBODY = Principal("nobody", "nobody", "nobody", "admin", SCOPES)
"""Whoever asks where no key is needed: a program on this machine."""

STRANGER = Principal("nobody", "nobody", "nobody", "read-only", ())
"""Whoever asks at a public route without a key."""


def principal_of(scope: Mapping[str, Any]) -> Principal:
    """Who asks by the connection of this ASGI scope; anybody where there is no gate."""
    found = scope.get("state", {}).get("principal")
    return found if isinstance(found, Principal) else ANYBODY

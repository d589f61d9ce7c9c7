"""Tokens of signed-in users: JSON Web Tokens (RFC 7519), HS256 and nothing else, good for a few minutes."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from app.server.gate.refusals import KeyRefusedError
from app.vault.access.users import SignIn, User, Users
from app.vault.secrets import Secrets

from .principal import Principal
from .remembering import Remembered

ALGORITHM = "HS256"
ISSUER = "playground"
AUDIENCE = "playground-server"
SECRET_BYTES = 64
_NAME = "token-signing"
_REMEDY = "Sign in again: POST /auth/login"


class Tokens:
    """Gives and checks tokens. Who it is and their role come from the vault each time, not from the token."""

    def __init__(self, secrets: Secrets, users: Users, clock: Callable[[], float], lasts_s: float) -> None:
        self._secrets, self._users, self._clock = secrets, users, clock
        self.lasts_s = lasts_s
        self._secret: bytes | None = None
        self._remembered: Remembered[str, User] = Remembered()

    async def give(self, sign_in: SignIn) -> str:
        """A token for a sign-in.

        Raises:
            VaultLockedError: when the vault is locked.
        """
        import jwt

        now = self._clock()
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": sign_in.user.name,
            "sid": sign_in.id,
            "jti": secrets.token_hex(16),
            "iat": int(now),
            "exp": int(now + self.lasts_s),
        }
        return jwt.encode(claims, await self._signing(), algorithm=ALGORITHM)

    async def identify(self, text: str) -> Principal:
        """Whose token this is.

        Raises:
            KeyRefusedError: when it is forged, expired, or its sign-in has ended.
            VaultLockedError: when the vault is locked.
        """
        claims = self._read(text, await self._signing())
        sign_in = str(claims["sid"])
        user = self._remembered.get(sign_in)
        if user is None:
            user = await self._users.signed_in(sign_in)
            if user is None:
                raise KeyRefusedError("The sign-in of this token has ended.", _REMEDY)
            self._remembered.put(sign_in, user)
        if user.name != claims["sub"]:
            raise KeyRefusedError("The token is not valid.", _REMEDY)
        return Principal.of_user(user, sign_in)

    def forget(self) -> None:
        """Looks every sign-in up again: one was just changed."""
        self._remembered.clear()

    def _read(self, text: str, secret: bytes) -> dict[str, Any]:
        import jwt

        try:
            claims: dict[str, Any] = jwt.decode(
                text,
                secret,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                # PyJWT would ask the machine's clock; ours is asked below.
                options={
                    "require": ["iss", "aud", "sub", "sid", "jti", "iat", "exp"],
                    "verify_exp": False,
                    "verify_iat": False,
                },
            )
        except jwt.InvalidTokenError as error:
            raise KeyRefusedError("The token is not valid.", _REMEDY) from error
        expires = claims["exp"]
        if not isinstance(expires, int) or self._clock() >= expires:
            raise KeyRefusedError("The token has expired.", "Renew it: POST /auth/refresh")
        return claims

    async def _signing(self) -> bytes:
        if self._secret is None:
            self._secret = await self._secrets.get_or_make(_NAME, SECRET_BYTES)
        if len(self._secret) < 32:
            # PyJWT only warns; a short secret can be guessed offline from a single token.
            raise KeyRefusedError("The secret that tokens are signed with is too short to be trusted.")
        return self._secret

"""From the headers of a request to who asks."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from app.errors import SettingsError
from app.privacy.connections import is_loopback
from app.vault import Vault

from ..heads import Head
from ..refusals import KeyRefusedError
from .keys import FixedKeys, VaultKeys
from .principal import ANYBODY, Principal
from .tokens import Tokens

_BEARER = re.compile(r"[Bb]earer +([\x21-\x7e]+) *")
_TOKEN = re.compile(r"[\w-]+\.[\w-]+\.[\w-]*", re.ASCII)
_MOST_CHARACTERS = 4096
_REMEDY = "Send it as `Authorization: Bearer KEY` or as `x-api-key: KEY`."


@dataclass(frozen=True)
class Identification:
    """Every way to prove who one is.

    Attributes:
        no_auth: nobody need prove anything; on loopback alone.
    """

    fixed: FixedKeys
    keys: VaultKeys
    tokens: Tokens
    no_auth: bool = False

    @classmethod
    def of(
        cls, vault: Vault, fixed: FixedKeys, clock: Callable[[], float], token_s: float, *, no_auth: bool
    ) -> Identification:
        """The usual ways: the vault's keys, fixed ones, and the tokens of the vault's users."""
        tokens = Tokens(vault.secrets, vault.users, clock, token_s)
        return cls(fixed, VaultKeys(vault.api_keys, clock), tokens, no_auth)

    async def identify(self, head: Head) -> Principal:
        """Who asks.

        Args:
            head: of the request.

        Raises:
            KeyRefusedError: when there is no key, more than one, or one that is not valid.
            VaultLockedError: when the vault, which knows the keys, is locked.
        """
        if self.no_auth:
            # A program that sends a key of its own making, as many must, is as welcome as one without.
            return ANYBODY
        text = presented(head)
        if text is None:
            raise KeyRefusedError("There is no API key.", _REMEDY)
        fixed = self.fixed.identify(text)
        if fixed is not None:
            return fixed
        if _TOKEN.fullmatch(text):
            return await self.tokens.identify(text)
        return await self.keys.identify(text)

    def forget(self) -> None:
        """Looks everybody up again: a key, a user or a sign-in was just changed."""
        self.keys.forget()
        self.tokens.forget()


def presented(head: Head) -> str | None:
    """The key or token of a request; None when there is none.

    Raises:
        KeyRefusedError: when there are different ones, or it is not written as one can be.
    """
    found: set[str] = set()
    for value in head.all(b"authorization"):
        match = _BEARER.fullmatch(value.decode("latin-1"))
        if match is None:
            raise KeyRefusedError("The Authorization header is not `Bearer` and a key.", _REMEDY)
        found.add(match[1])
    found.update(value.decode("latin-1").strip() for value in head.all(b"x-api-key") if value.strip())
    if len(found) > 1:
        raise KeyRefusedError("The request has two different keys.", "Send one of them.")
    text = next(iter(found), None)
    if text is not None and len(text) > _MOST_CHARACTERS:
        raise KeyRefusedError("The API key is not valid.", _REMEDY)
    return text


def check_exposure(host: str, *, no_auth: bool, has_keys: bool) -> None:
    """Whether the server may listen there.

    Raises:
        SettingsError: when other machines could ask without a key, or nobody could ask at all.
    """
    if is_loopback(host):
        return
    if no_auth:
        raise SettingsError(
            f"The server would listen on {host}, where other machines reach it, without asking for keys.",
            "Leave out --no-auth, or listen on 127.0.0.1.",
        )
    if not has_keys:
        raise SettingsError(
            f"The server would listen on {host}, where other machines reach it, and there is no key yet.",
            "Make one first: playground keys create NAME. Or listen on 127.0.0.1.",
        )

"""From the headers of a request to who asks."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from app.errors import SettingsError
from app.privacy.connections import is_loopback
from app.server.gate.refusals import KeyRefusedError
from app.vault import Vault

from .claims import REMEDY, Claim
from .keys import FixedKeys, VaultKeys
from .principal import Principal
from .tokens import Tokens

_TOKEN = re.compile(r"[\w-]+\.[\w-]+\.[\w-]*", re.ASCII)


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

    async def identify(self, claim: Claim | None) -> Principal:
        """Who asks.

        Raises:
            KeyRefusedError: when there is no key, or one that is not valid.
            VaultLockedError: when the vault, which knows the keys, is locked.
        """
        if claim is None:
            raise KeyRefusedError("There is no API key.", REMEDY)
        fixed = self.fixed.identify(claim)
        if fixed is not None:
            return fixed
        if _TOKEN.fullmatch(claim.text):
            return await self.tokens.identify(claim.text)
        return await self.keys.identify(claim)

    def forget(self) -> None:
        """Looks everybody up again: a key, a user or a sign-in was just changed."""
        self.keys.forget()
        self.tokens.forget()


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

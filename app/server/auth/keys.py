"""Keys, and who bears them: the vault's, and fixed ones from the environment for containers."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable

from app.errors import PlaygroundError, SettingsError
from app.server.gate.refusals import KeyRefusedError
from app.vault.access.api_keys import ApiKey, ApiKeys, digest, looks_like_key

from .claims import Claim
from .principal import Principal
from .remembering import Remembered

VARIABLE = "PLAYGROUND_API_KEYS"
LEAST_CHARACTERS = 16
_REMEDY = "Make one: playground keys create NAME"


class FixedKeys:
    """The keys of ``PLAYGROUND_API_KEYS``; kept as their SHA-256 here too, so that no dump of memory shows them.

    Raises:
        SettingsError: when one is shorter than 16 characters, or not visible ASCII; it is not repeated.
    """

    def __init__(self, listed: str) -> None:
        found = [key.strip() for key in listed.split(",")]
        for number, key in enumerate(found, 1):
            if key and not (key.isascii() and key.isprintable() and " " not in key):
                raise SettingsError(
                    f"{VARIABLE}: key {number} has characters that no header can carry.",
                    "Use letters, digits and signs, without spaces.",
                )
            if key and len(key) < LEAST_CHARACTERS:
                raise SettingsError(
                    f"{VARIABLE}: key {number} has {len(key)} characters; a key that can be guessed is no key, so it"
                    f" needs {LEAST_CHARACTERS} at least.",
                    "`openssl rand -hex 32` prints a good one.",
                )
        self._digests = tuple(digest(key) for key in found if key)

    def __len__(self) -> int:
        return len(self._digests)

    def identify(self, claim: Claim) -> Principal | None:
        """Whose key this is. Every key is compared, each in constant time."""
        if not self._digests:
            return None
        asked, match = claim.digest, 0
        for number, kept in enumerate(self._digests, 1):
            if hmac.compare_digest(asked, kept):
                match = number
        return Principal.of_fixed(match) if match else None


class VaultKeys:
    """The vault's keys, each remembered for a second: a key that another program revokes is good for that long.

    One that is used all the time is looked up beside the requests, so that none waits for the vault.
    """

    def __init__(self, keys: ApiKeys, clock: Callable[[], float]) -> None:
        self._keys, self._clock = keys, clock
        self._remembered: Remembered[bytes, tuple[ApiKey, Principal]] = Remembered()
        self._looking: dict[bytes, asyncio.Task[None]] = {}

    async def identify(self, claim: Claim) -> Principal:
        """Whose key this is.

        Raises:
            KeyRefusedError: when there is no such key, or it is revoked or expired.
            VaultLockedError: when the vault is locked.
        """
        name, text = claim.digest, claim.text
        known = self._remembered.get(name)
        if known is None:
            found = await self._keys.identify(text) if looks_like_key(text) else None
            if found is None:
                raise KeyRefusedError("The API key is not valid.", _REMEDY)
            known = self._remember(name, found)
        elif self._remembered.is_old(name) and name not in self._looking:
            self._looking[name] = asyncio.get_running_loop().create_task(self._look_again(name, text))
        key, bearer = known
        if key.revoked_at is not None:
            raise KeyRefusedError(f"The API key {key.name!r} has been revoked.", _REMEDY)
        if not key.valid_at(self._clock()):
            raise KeyRefusedError(f"The API key {key.name!r} has expired.", _REMEDY)
        return bearer

    def forget(self) -> None:
        """Looks every key up again: one was just changed."""
        for looking in self._looking.values():
            looking.cancel()  # what it read may be what was before the change
        self._remembered.clear()

    async def _look_again(self, name: bytes, text: str) -> None:
        try:
            key = await self._keys.identify(text)
        except PlaygroundError:
            return  # a request looks it up in a moment, and is told
        finally:
            self._looking.pop(name, None)
        if key is None:
            self._remembered.clear()
        else:
            self._remember(name, key)

    def _remember(self, name: bytes, key: ApiKey) -> tuple[ApiKey, Principal]:
        known = key, Principal.of_key(key)
        self._remembered.put(name, known)
        return known

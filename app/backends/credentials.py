"""Keys of providers, fetched from where the catalogue says they are. The catalogue itself never holds one."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from typing import Protocol

from app.errors import CredentialError

SERVICE = "Playground remote models"
"""Under this name the operating system keeps them."""
NOTE = "credential:"
"""Before a key's name in the vault."""
_KINDS = ("env", "keyring", "vault")
_NAME = re.compile(r"[\w.@:/+\-]{1,128}")
_KEPT_S = 300.0


class Notes(Protocol):
    """The part of the vault that keys are in: ``vault.notes``."""

    async def get(self, name: str) -> bytes | None:
        """What was kept."""
        ...

    async def put(self, name: str, value: bytes) -> None:
        """Keeps it."""
        ...


class Vault(Protocol):
    """A vault that may be locked."""

    @property
    def notes(self) -> Notes:
        """Raises ``VaultLockedError`` when they are asked while it is locked."""
        ...


class Credentials:
    """Fetches keys by reference: ``env:NAME``, ``keyring:NAME`` or ``vault:NAME``; an empty one is no key.

    What the keyring gave is remembered for five minutes, as asking it may take a while. Nothing of a key is ever in an
    error or in what this shows of itself.

    Args:
        environ: the environment, as it is now: what is set in it later is not seen.
        vault: None where there is none.
        clock: seconds that only go up.
        seen: told each key that is fetched, so that it can be masked wherever something is written down.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        vault: Vault | None,
        *,
        clock: Callable[[], float] = time.monotonic,
        seen: Callable[[str], None] = lambda key: None,
    ) -> None:
        self._environ = dict(environ)  # the process's own is slow to ask
        self._vault = vault
        self._clock = clock
        self._seen = seen
        self._kept: dict[str, tuple[float, str]] = {}
        self._parts: dict[str, tuple[str, str]] = {}
        self._sound: dict[str, str] = {}
        """What was last found at each reference, and is known to be a key."""

    async def key(self, reference: str) -> str:
        """The key.

        Raises:
            CredentialError: there is none, or it cannot be one, or the reference is none.
            VaultLockedError: it is in the vault, and the vault is locked.
        """
        if not reference:
            return ""
        kind, name = self._parts.get(reference) or self._split(reference)
        if kind == "env":
            found = self._environ.get(name)
            remedy = f"Set {name} before the program is started, or choose another place for the key."
        elif kind == "keyring":
            found = await self._of_keyring(name)
            remedy = f"Keep it there under the service {SERVICE!r} and the name {name!r}."
        else:
            found = await self._of_vault(name)
            remedy = "Keep it there first, or choose another place for the key."
        if found and found == self._sound.get(reference):
            return found
        key = (found or "").strip()
        if not key:
            raise CredentialError(f"There is no key at {reference!r}.", remedy)
        if not (key.isascii() and key.isprintable()):
            raise CredentialError(f"What is at {reference!r} has characters that a key cannot have.", remedy)
        self._seen(key)
        self._sound[reference] = key
        return key

    @staticmethod
    def is_at_hand(reference: str) -> bool:
        """Whether fetching it waits for nothing: there is none, or it is in the environment."""
        return not reference or reference.startswith("env:")

    async def keep(self, reference: str, key: str) -> None:
        """Puts a key where ``reference`` says; the environment cannot be written.

        Raises:
            CredentialError: it cannot be kept there.
            VaultLockedError: the vault is locked.
        """
        kind, name = self._split(reference)
        if kind == "vault" and self._vault is not None:
            await self._vault.notes.put(NOTE + name, key.encode())
        elif kind == "keyring":
            await asyncio.to_thread(_put, name, key)
            self._kept.pop(name, None)
        else:
            raise CredentialError(f"No key can be kept at {reference!r}.", "Use keyring: or vault:.")

    def _split(self, reference: str) -> tuple[str, str]:
        kind, colon, name = reference.partition(":")
        if not colon or kind not in _KINDS or not _NAME.fullmatch(name):
            # Not shown: somebody may have put the key itself there.
            raise CredentialError(
                "A key is named in a way that is not known.",
                "Say where it is: env:NAME, keyring:NAME or vault:NAME. Never write the key itself there.",
            )
        self._parts[reference] = kind, name
        return kind, name

    async def _of_keyring(self, name: str) -> str | None:
        until, kept = self._kept.get(name, (0.0, ""))
        if self._clock() < until:
            return kept
        found = await asyncio.to_thread(_get, name)
        if found:
            self._kept[name] = (self._clock() + _KEPT_S, found)
        return found

    async def _of_vault(self, name: str) -> str | None:
        if self._vault is None:
            return None
        found = await self._vault.notes.get(NOTE + name)
        return None if found is None else found.decode("utf-8", "replace")

    def __repr__(self) -> str:
        return "Credentials()"


def _get(name: str) -> str | None:
    import keyring
    from keyring.errors import KeyringError

    try:
        return keyring.get_password(SERVICE, name)
    except (KeyringError, RuntimeError, OSError) as error:
        raise CredentialError(
            f"The keyring did not give the key {name!r}.", "Open the keyring, or choose another place for the key."
        ) from error


def _put(name: str, key: str) -> None:
    import keyring
    from keyring.errors import KeyringError

    try:
        keyring.set_password(SERVICE, name, key)
    except (KeyringError, RuntimeError, OSError) as error:
        raise CredentialError(
            f"The keyring did not take the key {name!r}.", "Open the keyring, or choose another place for the key."
        ) from error

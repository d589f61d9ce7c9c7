"""Opening the vault for a command: by itself where that can be, else with a passphrase asked for on the terminal."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from app.errors import (
    DiskFullError,
    KeyFileError,
    KeyringError,
    PlaygroundError,
    VaultError,
    VaultLockedError,
    WrongPassphraseError,
)
from app.playground import Playground

from .asking import can_ask_secret, three_tries
from .session import report

if TYPE_CHECKING:
    from app.vault import Vault
    from app.vault.vault import Protection

T = TypeVar("T")

WORDS = "Passphrase or recovery key of the vault"
LEAST_CHARACTERS = 8
"""Of a new passphrase; the terminal interface asks for as many."""

PROTECTED_BY: dict[Protection | None, str] = {
    None: "There is no vault yet: nothing was kept so far.",
    "passphrase": "Protected by a passphrase.",
    "keyring": "Protected by the keyring of the operating system: it opens while you are logged in.",
    "file": "Not protected by a passphrase: whoever can read vault.key can read everything."
    " `playground vault passphrase` sets one.",
}
"""What stands between a thief of the files and what is in them."""


async def unlocked(playground: Playground, *, may_decline: bool = False) -> Vault:
    """The vault, open. Makes one where there is none.

    Args:
        playground: the program's parts.
        may_decline: lets the person leave it locked, by Enter alone.

    Raises:
        VaultLockedError: when a passphrase is needed and nobody can be asked, or will give it.
        WrongPassphraseError: when it does not fit.
        VaultError: one of its kinds, for files that are not sound.
    """
    vault = playground.vault

    async def attempt(secret: str) -> None:
        if not secret:
            raise VaultLockedError("The vault stays locked.")
        await vault.open(secret)

    try:
        await vault.open()
    except WrongPassphraseError as error:
        raise WrongPassphraseError(
            "PLAYGROUND_PASSPHRASE does not open the vault.", "Correct it or remove it; nothing was changed."
        ) from error
    except (VaultLockedError, KeyringError) as error:
        if not can_ask_secret():
            raise
        trouble: PlaygroundError = error
    else:
        return vault
    if isinstance(trouble, KeyringError):
        report(trouble)
    await three_tries(attempt, f"{WORDS} (Enter leaves it locked)" if may_decline else WORDS, may_be_empty=may_decline)
    return vault


async def open_unasked(playground: Playground) -> None:
    """Opens the vault where there is one that needs no question, so that requests are noted in it; else does nothing.

    Makes no vault. Why one does not open is no matter of a command that keeps nothing; notes that are lost are logged.
    """
    if playground.vault.state != "absent":
        with suppress(VaultError, DiskFullError):
            await playground.vault.open()


async def existing(playground: Playground) -> Vault:
    """The vault, open, where there is one already.

    Raises:
        VaultError: when there is none; else as ``unlocked``.
    """
    if playground.vault.state == "absent":
        raise VaultError(
            "There is no vault yet, so nothing is kept.",
            "The first conversation makes one: playground chat “Hello”",
        )
    return await unlocked(playground)


def protection_of(vault: Vault) -> Protection | None:
    """What guards the vault; None where there is none yet. Nothing is opened.

    Raises:
        KeyFileError: when its key file cannot be read, or is gone.
    """
    protection = vault.protection
    if protection is None and vault.state != "absent":
        raise KeyFileError(
            f"The vault's key file vault.key is gone; without it nothing can read {vault.database.path}.",
            "Bring it back from a backup: `playground backup restore`.",
        )
    return protection


def with_vault(work: Callable[[Vault], Coroutine[None, None, T]]) -> Callable[[Playground], Coroutine[None, None, T]]:
    """``work`` on the open vault of a program, for ``Session.run``."""

    async def opened(playground: Playground) -> T:
        return await work(await existing(playground))

    return opened

"""The keyring of the operating system: Keychain, Secret Service, KWallet, whatever the ``keyring`` package finds."""

from __future__ import annotations

import base64

from app.errors import KeyringError

_SERVICE = "Playground vault"
_USABLE = 1.0


def name() -> str:
    """What the keyring calls itself."""
    import keyring

    return str(keyring.get_keyring().name)


def usable() -> bool:
    """Whether there is a keyring that keeps secrets for this person."""
    import keyring

    backend = keyring.get_keyring()
    return float(backend.priority) >= _USABLE and "fail" not in backend.name.lower()


def fetch(vault_id: str) -> bytes | None:
    """The key that was kept for a vault; None when the keyring has none, is closed, or is another one today."""
    import keyring
    from keyring.errors import KeyringError as BackendError

    try:
        found = keyring.get_password(_SERVICE, vault_id)
        return None if found is None else base64.b64decode(found, validate=True)
    except (BackendError, ValueError, RuntimeError, OSError):
        # Whatever the reason, the caller says that the keyring has not the key and what to do instead.
        return None


def keep(vault_id: str, key: bytes) -> None:
    """Gives the keyring a key, and sees that it gives it back.

    Raises:
        KeyringError: when there is no keyring, or it refuses.
    """
    import keyring
    from keyring.errors import KeyringError as BackendError

    if not usable():
        raise KeyringError("There is no keyring of the operating system here.", "Set a passphrase instead.")
    try:
        keyring.set_password(_SERVICE, vault_id, base64.b64encode(key).decode())
    except (BackendError, RuntimeError, OSError) as error:
        raise KeyringError(f"The keyring {name()} refused: {error}.", "Set a passphrase instead.") from error
    if fetch(vault_id) != key:
        raise KeyringError(f"The keyring {name()} did not give back what it was given.", "Set a passphrase instead.")


def forget(vault_id: str) -> None:
    """Takes the key out of the keyring; it is no matter if it was not there."""
    import contextlib

    import keyring
    from keyring.errors import KeyringError as BackendError

    with contextlib.suppress(BackendError, RuntimeError, OSError):
        keyring.delete_password(_SERVICE, vault_id)

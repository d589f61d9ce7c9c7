"""From files and a secret to an open database: making a vault, finding the key that fits, saying what is wrong."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from app.errors import (
    KeyFileError,
    KeyringError,
    PlaygroundError,
    VaultDamagedError,
    VaultLockedError,
    WrongPassphraseError,
)

from . import migrations
from .conversations.messages import cut_what_streams
from .keys import system_keyring
from .keys.keyfile import KeyFile
from .keys.wrapping import looks_like_recovery_key, new_key
from .storage.cipher import (
    PAGE_BYTES,
    RESTORE,
    connect,
    opens_with_salt,
    require_encrypted,
    require_key,
    salt_of,
    translated,
)
from .storage.files import remove_database, sync_folder

if TYPE_CHECKING:
    from sqlcipher3.dbapi2 import Connection


class Places(NamedTuple):
    """Where the parts of a vault lie."""

    database: Path
    keys: Path
    lock: Path
    new: Path
    restored: Path

    @classmethod
    def under(cls, folder: Path) -> Places:
        """The usual names in a folder."""
        return cls(*(folder / name for name in ("vault.db", "vault.key", "vault.lock", "vault.db.new", "restored")))


class Opened(NamedTuple):
    """An open vault: its keys, and the first connection to it."""

    keys: KeyFile
    master: bytes
    data_key: bytes
    connection: Connection


def create(places: Places, passphrase: str | None) -> None:
    """Makes an empty vault: the database first, then its keys, then the database's name, so that a kill at any moment
    leaves a vault that opens or none at all.
    """
    if places.database.exists():
        require_encrypted(places.database)
        raise KeyFileError(
            f"The vault's key file {places.keys} is gone; without it nothing can read {places.database.name}.",
            "Bring vault.key back from a backup: `playground backup restore`.",
        )
    keys, master = KeyFile.new()
    data_key = new_key()
    remove_database(places.new)
    os.close(os.open(places.new, os.O_WRONLY | os.O_CREAT, 0o600))
    connection = connect(places.new, data_key, create=True)
    try:
        with translated(places.database):
            migrations.upgrade(connection, before=lambda _version: None)
    finally:
        connection.close()
    keys = keys.with_passphrase(master, passphrase) if passphrase else keys.unprotected(master)
    keys.with_data_key(master, data_key, salt_of(places.new)).write(places.keys)
    finish_renaming(places)


def finish_renaming(places: Places) -> None:
    """Gives a database that is complete its name; what a kill left undone is done at the next start."""
    if places.new.exists() and not places.database.exists():
        places.new.replace(places.database)
        sync_folder(places.database.parent)


def unlock(places: Places, passphrase: str | None, before_upgrade: Callable[[Opened, int], None]) -> Opened:
    """Opens a vault that is there.

    Args:
        places: where its files lie.
        passphrase: a passphrase or a recovery key; None tries what needs no person.
        before_upgrade: called before an older schema is changed.

    Raises:
        VaultLockedError: when a passphrase is needed and none was given.
        WrongPassphraseError: when it does not fit.
        VaultError: one of its kinds, for files that are not sound.
    """
    keys = KeyFile.read(places.keys)
    if keys is None:
        raise KeyFileError(f"The vault's key file {places.keys} is gone.", "Bring it back from a backup.")
    finish_renaming(places)
    require_encrypted(places.database)
    master = master_key(keys, passphrase)
    position, data_key, connection = _connect(places, keys, master)
    opened = Opened(keys, master, data_key, connection)
    try:
        with translated(places.database):
            _require_whole(places.database, connection)
            migrations.upgrade(connection, before=lambda version: before_upgrade(opened, version))
    except BaseException:
        connection.close()
        raise
    # Under the older of two keys, a rewriting was cut off: from now on what is there is what is tried first.
    return opened._replace(keys=keys.preferring(position))


def tidy(places: Places, opened: Opened) -> Opened:
    """Puts right what a kill left, while nobody else uses the vault.

    Raises:
        DiskFullError: when there is no room for that; the connection is closed then.
    """
    try:
        return _tidied(places, opened)
    except BaseException:
        opened.connection.close()
        raise


def _tidied(places: Places, opened: Opened) -> Opened:
    remove_database(places.new)
    for unfinished in places.keys.parent.glob(f".{places.keys.name}.*"):
        unfinished.unlink(missing_ok=True)
    with translated(places.database):
        opened.connection.execute("BEGIN IMMEDIATE")
        cut_what_streams(opened.connection)
        opened.connection.execute("COMMIT")
    if len(opened.keys.data_keys) > 1:
        keys = opened.keys.only_data_key(0)
        keys.write(places.keys)
        return opened._replace(keys=keys)
    return opened


def master_key(keys: KeyFile, passphrase: str | None) -> bytes:
    """The master key, by what the person gave or by what needs no person.

    Raises:
        VaultLockedError: when a passphrase is needed and none was given.
        WrongPassphraseError: when it does not fit.
        KeyringError: when the keyring should have it and has not.
    """
    ways = keys.ways()
    if passphrase and "recovery" in ways and looks_like_recovery_key(passphrase):
        found = keys.open_with_recovery(passphrase)
        if found is not None:
            return found
        raise WrongPassphraseError("This is a recovery key, but not of this vault, or a newer one replaced it.")
    if passphrase and "passphrase" in ways:
        found = keys.open_with_passphrase(passphrase)
        if found is not None:
            return found
        raise WrongPassphraseError("The passphrase does not open the vault.", "Nothing was changed. Try again.")
    found = keys.open_unprotected()
    if found is not None:
        return found
    if "keyring" in ways:
        return _from_keyring(keys, ways)
    raise VaultLockedError("The vault is locked.", "Unlock it with your passphrase, or set PLAYGROUND_PASSPHRASE.")


def _from_keyring(keys: KeyFile, ways: frozenset[str]) -> bytes:
    kept = system_keyring.fetch(keys.vault_id)
    found = None if kept is None else keys.open_with_keyring(kept)
    if found is not None:
        return found
    if "passphrase" in ways:
        raise VaultLockedError("The keyring does not have the vault's key.", "Unlock with your passphrase.")
    raise KeyringError(
        f"The system's keyring ({system_keyring.name()}) does not have the key of this vault.",
        "Unlock the keyring, or log in to the desktop that it belongs to; or open the vault with its recovery key.",
    )


def _connect(places: Places, keys: KeyFile, master: bytes) -> tuple[int, bytes, Connection]:
    """The connection, by whichever data key fits. There are two while a rewriting under a new key is under way."""
    salt = salt_of(places.database)
    damage: PlaygroundError | None = None
    data_keys = [keys.data_key(master, position) for position in range(len(keys.data_keys))]
    for position, data_key in enumerate(data_keys):
        try:
            require_key(places.database, data_key)
            return position, data_key, connect(places.database, data_key)
        except VaultDamagedError as error:
            if getattr(error.__cause__, "sqlite_errorname", "").startswith("SQLITE_CORRUPT"):
                # The first page opens with this key, and tells of more pages than there are.
                size = places.database.stat().st_size
                raise VaultDamagedError(
                    f"{places.database.name} was cut short: it has {size} bytes, fewer than it says itself.", RESTORE
                ) from error
            damage = error
    name = places.database.name
    if salt in [known.salt for known in keys.data_keys]:
        raise VaultDamagedError(f"The first page of {name} is damaged, so nothing in it can be read.", RESTORE)
    for known, data_key in zip(keys.data_keys, data_keys, strict=True):
        if opens_with_salt(places.database, data_key, known.salt):
            raise VaultDamagedError(
                f"The header of {name} is damaged: its first 16 bytes are not those of this vault, the rest is.",
                RESTORE,
            )
    raise KeyFileError(
        f"{places.keys.name} is not the key file of {name}: it belongs to another vault.",
        "Bring back the vault.key that was beside this database, from a backup perhaps.",
    ) from damage


def _require_whole(path: Path, connection: Connection) -> None:
    """A file that ends before its own last page, with nothing in the write-ahead log to make up for it, was cut."""
    log = path.with_name(f"{path.name}-wal")
    if log.exists() and log.stat().st_size:
        return
    expected = int(connection.execute("PRAGMA page_count").fetchone()[0]) * PAGE_BYTES
    size = path.stat().st_size
    if size < expected:
        raise VaultDamagedError(f"{path.name} was cut short: it has {size} bytes of {expected}.", RESTORE)


def current_keys(places: Places, opened: Opened) -> KeyFile:
    """The key file as it is now, since another program may have changed the passphrase; the data key in use first.

    Raises:
        KeyFileError: when it is not this vault's any more.
    """
    keys = KeyFile.read(places.keys)
    if keys is None:
        return opened.keys
    for position in range(len(keys.data_keys)):
        if keys.data_key(opened.master, position) == opened.data_key:
            return keys.preferring(position)
    raise KeyFileError(f"{places.keys} is not the key file of the vault that is open.", "Close Playground and look.")


def reopen(places: Places, master: bytes) -> Opened:
    """Opens a vault again whose master key is known.

    Raises:
        VaultError: one of its kinds, for files that are not sound.
    """
    keys = KeyFile.read(places.keys)
    if keys is None:
        raise KeyFileError(f"The vault's key file {places.keys} is gone.", "Bring it back from a backup.")
    position, data_key, connection = _connect(places, keys, master)
    return Opened(keys.preferring(position), master, data_key, connection)

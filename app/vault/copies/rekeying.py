"""Rewriting all data under a new key, so that a kill at any moment leaves a vault that opens.

The key file learns the new key first and forgets the old one last; between the two a complete copy under the new key
takes the database's name in one step. Whichever database is found, its key is in the key file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.errors import VaultInUseError
from app.vault.keys.wrapping import new_key
from app.vault.opening import Opened, Places
from app.vault.storage.cipher import connect, salt_of, translated
from app.vault.storage.files import sync_folder

from .copying import Progress, copy_database

if TYPE_CHECKING:
    from sqlcipher3.dbapi2 import Connection


def rekey(places: Places, opened: Opened, on_progress: Progress) -> None:
    """Rewrites the database, which nobody has open.

    Raises:
        DiskFullError: when there is no room; the vault is as it was.
        VaultInUseError: when something reads it all the same.
    """
    data_key = new_key()
    keys = opened.keys.only_data_key(0)
    source = connect(places.database, opened.data_key)
    try:
        copy_database(source, places.new, data_key, on_progress)
        _fold_log(source, places)
    finally:
        source.close()
    try:
        both = keys.with_data_key(opened.master, data_key, salt_of(places.new))
        both.write(places.keys)
        places.new.replace(places.database)
        sync_folder(places.database.parent)
    finally:
        places.new.unlink(missing_ok=True)
    both.only_data_key(0).write(places.keys)


def _fold_log(connection: Connection, places: Places) -> None:
    """Empties the write-ahead log: one that was left beside the new database would be taken for its own."""
    with translated(places.database):
        busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    if busy:
        raise VaultInUseError("Something still reads the vault, so its data cannot be rewritten.", "Try again.")

"""Copying a whole database, page by page, into a new file under a key of its own, while others go on writing."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from app.errors import VaultDamagedError
from app.vault.storage.cipher import RESTORE, connect, damaged_pages, translated
from app.vault.storage.files import remove_database, sync_file, write_error

if TYPE_CHECKING:
    from sqlcipher3.dbapi2 import Connection

_PAGES_AT_ONCE = 512

Progress = Callable[[int, int], None]
"""Called with pages done and pages in all."""


def copy_database(source: Connection, target: Path, key: bytes, on_progress: Progress) -> None:
    """Makes ``target`` a copy of the state that ``source`` sees, under ``key``; opened, read through and found sound.

    A write by another connection makes the copy begin again by itself (SQLite's online backup API). A file that is
    already there is replaced; when anything fails, nothing is left.

    Raises:
        DiskFullError: when there is no room.
        VaultDamagedError: when the source, or what was written, is not sound.
    """
    remove_database(target)
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with translated(target):
            copy = connect(target, key, create=True)
            try:
                # The copy is one file when it is done: no write-ahead log beside it.
                copy.execute("PRAGMA journal_mode = DELETE")

                def progress(_status: int, remaining: int, total: int) -> None:
                    on_progress(total - remaining, total)

                source.backup(copy, pages=_PAGES_AT_ONCE, progress=progress)
                copy.execute("PRAGMA journal_mode = DELETE")
                damage = damaged_pages(copy)
            finally:
                copy.close()
        if damage:
            raise VaultDamagedError(f"The copy is not sound: {damage[0]}.", RESTORE)
        sync_file(target)
    except OSError as error:
        remove_database(target)
        raise write_error(target, error) from error
    except BaseException:
        remove_database(target)
        raise

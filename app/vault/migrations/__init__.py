"""The vault's schema, one file a version, applied in order and never changed once released.

Each file has ``apply(database)``. ``PRAGMA user_version`` says which was applied last, the table ``migrations`` when.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

from app.errors import NewerVaultError

if TYPE_CHECKING:
    from sqlcipher3.dbapi2 import Connection
    from sqlite_utils import Database

NAMES = ("v001_first", "v002_access", "v003_requests", "v004_memory", "v005_posts", "v006_prompts", "v007_figures")
"""Every migration, oldest first: the number of the last one is the version that this program knows."""

VERSION = len(NAMES)


class Migration(Protocol):
    """A module of this folder."""

    def apply(self, database: Database) -> None:
        """Changes the schema from the version before, inside a transaction that is already open."""
        ...


def version_of(connection: Connection) -> int:
    """The schema's version; 0 is an empty database.

    Raises:
        NewerVaultError: when a later program made it.
    """
    found = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if found > VERSION:
        raise NewerVaultError(
            f"The vault has schema version {found}; this Playground knows versions up to {VERSION}.",
            "Use the newer Playground that wrote it. Nothing was changed.",
        )
    return found


def upgrade(connection: Connection, before: Callable[[int], None]) -> None:
    """Brings the schema to ``VERSION``, in one transaction.

    Args:
        connection: to the database, outside a transaction.
        before: called with the version found, before anything is changed, when there is something to lose.

    Raises:
        NewerVaultError: when a later program made the database.
    """
    if version_of(connection) == VERSION:
        return
    found = version_of(connection)
    if found:
        before(found)
    from sqlite_utils import Database

    # Its plug-ins are another program's code, and would be loaded from wherever they are installed.
    database = Database(connection, execute_plugins=False)
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Another program may have done it while this one waited for its turn.
        for number in range(version_of(connection), VERSION):
            _load(NAMES[number]).apply(database)
            connection.execute("INSERT INTO migrations (name, applied_at) VALUES (?, ?)", (NAMES[number], time.time()))
            connection.execute(f"PRAGMA user_version = {number + 1}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _load(name: str) -> Migration:
    return import_module(f".{name}", __name__)

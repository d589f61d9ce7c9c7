"""Small things that the program itself wants to find again: which session was open, a draft, when it last backed up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .storage.database import Database

if TYPE_CHECKING:
    from sqlcipher3.dbapi2 import Connection


class Notes:
    """Values by name, encrypted as everything else is."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, name: str) -> bytes | None:
        """What was put under ``name`` last; None when nothing was."""

        def read(connection: Connection) -> bytes | None:
            row = connection.execute("SELECT value FROM state WHERE name = ?", (name,)).fetchone()
            return None if row is None else bytes(row[0])

        return await self._database.read(read)

    async def put(self, name: str, value: bytes) -> None:
        """Keeps ``value`` under ``name``."""

        def write(connection: Connection) -> None:
            connection.execute(
                "INSERT INTO state (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                (name, value),
            )

        await self._database.write(write)

"""Random secrets that the program needs again: what tokens are signed with."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from .storage.database import Database

if TYPE_CHECKING:
    from sqlcipher3.dbapi2 import Connection


KEPT_STATES = "kept states"
"""The key of conversations as they lie in a model's memory, on disk. It goes with whatever is removed for good: then
none of them can be read any more, whichever it was."""


class Secrets:
    """Secrets by name, each made when it is first asked for."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    async def get_or_make(self, name: str, size: int = 64) -> bytes:
        """The secret ``name``: ``size`` random bytes, the same ones every time and for every program."""

        def write(connection: Connection) -> bytes:
            connection.execute(
                "INSERT INTO secrets (name, value, updated_at) VALUES (?, ?, ?) ON CONFLICT (name) DO NOTHING",
                (name, secrets.token_bytes(size), self._clock()),
            )
            return bytes(connection.execute("SELECT value FROM secrets WHERE name = ?", (name,)).fetchone()[0])

        return await self._database.write(write)

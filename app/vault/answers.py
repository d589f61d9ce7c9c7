"""Answers that may be given again, by a fingerprint of the request; the least used ones go when room is needed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from .storage.database import Database

if TYPE_CHECKING:
    from sqlcipher3.dbapi2 import Connection


class Answers:
    """The kept answers, as bytes that only their writer understands."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    async def get(self, fingerprint: bytes) -> bytes | None:
        """The answer of a request; None when there is none, or it is too old."""

        def read(connection: Connection) -> bytes | None:
            row = connection.execute(
                "SELECT answer FROM answers_cached WHERE fingerprint = ? AND expires_at > ?",
                (fingerprint, self._clock()),
            ).fetchone()
            return None if row is None else bytes(row[0])

        return await self._database.read(read)

    async def used(self, fingerprint: bytes) -> None:
        """Notes that an answer was given again, so that it stays longer than others."""
        moment = self._clock()
        await self._database.write(
            lambda c: c.execute("UPDATE answers_cached SET used_at = ? WHERE fingerprint = ?", (moment, fingerprint))
        )

    async def put(self, fingerprint: bytes, answer: bytes, *, model: str, ttl_s: float, most_bytes: int) -> None:
        """Keeps an answer, and lets others go until all together fit.

        Args:
            fingerprint: of its request; an answer that is there is replaced.
            answer: any bytes; more than ``most_bytes`` are not kept.
            model: who gave it.
            ttl_s: seconds that it is good for.
            most_bytes: what all answers may take.
        """
        now = self._clock()

        def write(connection: Connection) -> None:
            connection.execute(
                "DELETE FROM answers_cached WHERE expires_at <= ? OR fingerprint = ?", (now, fingerprint)
            )
            if len(answer) <= most_bytes:
                connection.execute(
                    "INSERT INTO answers_cached (fingerprint, answer, model, created_at, expires_at, used_at, bytes)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (fingerprint, answer, model, now, now + ttl_s, now, len(answer)),
                )
            _make_room(connection, most_bytes)

        await self._database.write(write)

    async def size(self) -> tuple[int, int]:
        """How many answers are kept, and their bytes."""

        def read(connection: Connection) -> tuple[int, int]:
            row = connection.execute("SELECT count(*), coalesce(sum(bytes), 0) FROM answers_cached").fetchone()
            return int(row[0]), int(row[1])

        return await self._database.read(read)

    async def clear(self) -> None:
        """Forgets every answer."""
        await self._database.write(lambda c: c.execute("DELETE FROM answers_cached"))


def _make_room(connection: Connection, most_bytes: int) -> None:
    total = int(connection.execute("SELECT coalesce(sum(bytes), 0) FROM answers_cached").fetchone()[0])
    if total <= most_bytes:
        return
    going = []
    for fingerprint, size in connection.execute("SELECT fingerprint, bytes FROM answers_cached ORDER BY used_at"):
        going.append((fingerprint,))
        total -= int(size)
        if total <= most_bytes:
            break
    connection.executemany("DELETE FROM answers_cached WHERE fingerprint = ?", going)

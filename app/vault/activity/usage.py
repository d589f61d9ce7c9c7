"""What models were used for and by whom: one row an answer, for quotas, export and figures."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from app.vault.storage.database import Database

if TYPE_CHECKING:
    from sqlcipher3.dbapi2 import Connection


class UsageRow(Struct, frozen=True, kw_only=True):
    """One answer. Times are seconds, tokens are the model's own.

    Attributes:
        at: when it was asked for, seconds since 1970.
        api_key: the id of the key, ``user:NAME``, ``fixed:N``; None for the person at the terminal.
        backend: through what; empty when nobody began to answer, which only a row that ``failed`` can say.
        first_token_s: until the first piece of the answer.
        decode_s: from there to the last.
        cost: in US dollars; None where it is not known, as of every model of this machine.
        outcome: ``finished``, ``stopped`` by the client, or ``failed``.
        total_s: from the request to the answer's end; None where it was not measured.
        from_cache: whether it was an answer that had been given before: no model did anything then.
    """

    at: float
    model: str
    backend: str
    api_key: str | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    first_token_s: float | None = None
    decode_s: float | None = None
    cost: float | None = None
    outcome: str = "finished"
    total_s: float | None = None
    from_cache: bool = False

    @property
    def tokens(self) -> int:
        """Prompt and completion together: what limits count."""
        return self.prompt_tokens + self.completion_tokens


_FIELDS = UsageRow.__struct_fields__
_COLUMNS = ", ".join(_FIELDS)
_INSERT = f"INSERT INTO usage ({_COLUMNS}) VALUES ({', '.join('?' * len(_FIELDS))})"  # noqa: S608 - its own columns


def start_of_month(moment: float) -> float:
    """The first second of the calendar month of UTC that ``moment`` lies in."""
    day = datetime.fromtimestamp(moment, UTC)
    return day.replace(day=1, hour=0, minute=0, second=0, microsecond=0).timestamp()


def start_of_next_month(moment: float) -> float:
    """The first second of the month after."""
    return start_of_month(start_of_month(moment) + 32 * 86_400)


class Usage:
    """The rows in the vault."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    async def add(self, rows: Sequence[UsageRow]) -> None:
        """Keeps rows, all or none."""
        values = [tuple(getattr(row, name) for name in _FIELDS) for row in rows]
        await self._database.write(lambda c: c.executemany(_INSERT, values))

    async def rows(
        self, *, key: str | None = None, since: float = 0.0, until: float | None = None
    ) -> tuple[UsageRow, ...]:
        """The rows of a time, oldest first.

        Args:
            key: those of one key alone.
            since: seconds since 1970; included.
            until: the same; excluded. None for now and after.
        """
        wanted = "at >= ? AND at < ?"
        values: list[float | str] = [since, float("inf") if until is None else until]
        if key is not None:
            wanted, values = f"api_key = ? AND {wanted}", [key, *values]

        def read(connection: Connection) -> tuple[UsageRow, ...]:
            found = connection.execute(f"SELECT {_COLUMNS} FROM usage WHERE {wanted} ORDER BY at, number", values)  # noqa: S608
            return tuple(msgspec.convert(dict(zip(_FIELDS, row, strict=True)), UsageRow, strict=False) for row in found)

        return await self._database.read(read)

    async def tokens(self, key: str, since: float) -> int:
        """How many tokens a key has used since then."""

        def read(connection: Connection) -> int:
            row = connection.execute(
                "SELECT coalesce(sum(prompt_tokens + completion_tokens), 0) FROM usage WHERE api_key = ? AND at >= ?",
                (key, since),
            ).fetchone()
            return int(row[0])

        return await self._database.read(read)

"""Notes of requests to models: when, by what, to whom, how long, how much, and how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from app.errors import InvalidRequestError
from app.vault.storage.database import Database

if TYPE_CHECKING:
    from sqlcipher3.dbapi2 import Connection


class Detour(Struct, frozen=True):
    """One model that could not answer, who was asked in its place, and why, in a sentence."""

    model: str
    next_model: str
    reason: str


class AuditNote(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One request. Times are seconds, tokens are the model's own; secrets are masked before they come here.

    Attributes:
        at: when it was asked, seconds since 1970.
        face: what asked: ``tui``, ``cli``, ``server``.
        kind: ``chat``, or ``raw`` when it passed through in its own protocol.
        asked: the model that was asked for.
        model: who answered; empty when nobody did.
        backend: through what: ``local``, or an endpoint's name.
        outcome: ``finished``, ``stopped`` by whoever asked, or ``failed``.
        finish: why the model ended: ``stop``, ``length``, ``tool_calls``, ``content_filter``.
        attempts: how often somebody was asked, all models together.
        detours: the models that could not answer.
        from_cache: whether it was an answer that had been given before.
        queued_s: until work on it began; None where it is not known.
        first_token_s: until the first piece of the answer.
        total_s: until its end.
        cost: in US dollars; None where it is not known.
        error: a stable word for what went wrong.
        message: the same as a sentence.
        request: what was asked, as JSON values; None unless bodies are kept.
        answer: what was answered, likewise.
        number: counts notes; 0 until it is kept.
    """

    at: float
    face: str
    asked: str
    kind: str = "chat"
    model: str = ""
    backend: str = ""
    outcome: str = "finished"
    finish: str = ""
    attempts: int = 1
    detours: tuple[Detour, ...] = ()
    from_cache: bool = False
    queued_s: float | None = None
    first_token_s: float | None = None
    total_s: float = 0.0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    cost: float | None = None
    error: str = ""
    message: str = ""
    request: Any = None
    answer: Any = None
    number: int = 0


_INSERT = "INSERT INTO audit (at, kind, backend, model, asked, outcome, details) VALUES (?, ?, ?, ?, ?, ?, ?)"


class Audit:
    """The notes in the vault."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, notes: Sequence[AuditNote]) -> None:
        """Keeps notes, all or none."""
        rows = [
            (note.at, note.kind, note.backend, note.model, note.asked, note.outcome, msgspec.json.encode(note))
            for note in notes
        ]
        await self._database.write(lambda c: c.executemany(_INSERT, rows))

    async def notes(
        self,
        offset: int = 0,
        limit: int | None = 100,
        *,
        model: str | None = None,
        since: float = 0.0,
        until: float | None = None,
        failed: bool = False,
    ) -> tuple[AuditNote, ...]:
        """Notes, newest first.

        Args:
            offset: how many to pass over.
            limit: at most so many; None gives all.
            model: those in which this model was asked for, or answered.
            since: seconds since 1970; included.
            until: the same; excluded. None for now and after.
            failed: those alone that failed.
        """
        wanted, values = _wanted(model, since, until, failed=failed)

        def read(connection: Connection) -> tuple[AuditNote, ...]:
            found = connection.execute(
                f"SELECT number, details FROM audit WHERE {wanted} ORDER BY at DESC, number DESC LIMIT ? OFFSET ?",  # noqa: S608
                (*values, -1 if limit is None else limit, offset),
            )
            return tuple(_note(number, details) for number, details in found)

        return await self._database.read(read)

    async def count(
        self, *, model: str | None = None, since: float = 0.0, until: float | None = None, failed: bool = False
    ) -> int:
        """How many notes there are; see ``notes``."""
        wanted, values = _wanted(model, since, until, failed=failed)

        def read(connection: Connection) -> int:
            return int(connection.execute(f"SELECT count(*) FROM audit WHERE {wanted}", values).fetchone()[0])  # noqa: S608

        return await self._database.read(read)

    async def get(self, number: int) -> AuditNote:
        """One note.

        Raises:
            InvalidRequestError: when there is none with this number.
        """

        def read(connection: Connection) -> AuditNote | None:
            row = connection.execute("SELECT number, details FROM audit WHERE number = ?", (number,)).fetchone()
            return None if row is None else _note(*row)

        found = await self._database.read(read)
        if found is None:
            raise InvalidRequestError(
                f"No request has the number {number}.", "`playground requests list` shows those that are kept."
            )
        return found

    async def forget(self, before: float) -> int:
        """Takes out every note from before that moment; gives how many there were."""

        def write(connection: Connection) -> int:
            return int(connection.execute("DELETE FROM audit WHERE at < ?", (before,)).rowcount)

        return await self._database.write(write)


def _wanted(model: str | None, since: float, until: float | None, *, failed: bool) -> tuple[str, list[float | str]]:
    wanted = "at >= ? AND at < ?"
    values: list[float | str] = [since, float("inf") if until is None else until]
    if model is not None:
        wanted += " AND (model = ? OR asked = ?)"
        values += [model, model]
    if failed:
        wanted += " AND outcome = 'failed'"
    return wanted, values


def _note(number: int, details: bytes) -> AuditNote:
    return msgspec.structs.replace(msgspec.json.decode(details, type=AuditNote), number=number)

"""Everything that memory keeps, text by text, for whoever takes it along."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct

from app.vault.storage.database import Database

from .vectors import Source

if TYPE_CHECKING:
    from sqlcipher3.dbapi2 import Connection

_PAGE = 200
_KEPT = """
    SELECT DISTINCT model, source, source_id FROM vectors WHERE (model, source, source_id) > (?, ?, ?)
    ORDER BY model, source, source_id LIMIT ?
"""
_VECTORS = """
    SELECT vector, created_at FROM vectors WHERE model = ? AND source = ? AND source_id = ? ORDER BY piece
"""
_FORGOTTEN = """
    SELECT '', source, source_id FROM forgotten WHERE (source, source_id) > (?, ?) ORDER BY source, source_id LIMIT ?
"""
_TEXTS: dict[Source, str] = {
    "message": """
        SELECT s.id, s.title, m.role, m.created_at, m.text FROM messages m JOIN sessions s ON s.number = m.session
        WHERE m.id = ?
    """,
    "post": "SELECT '', title, '', created_at, body FROM posts WHERE id = ?",
}


class RememberedText(Struct, frozen=True):
    """A message or a post that memory knows.

    Attributes:
        model: whose vectors these are; empty for what was forgotten.
        source: where it stands.
        source_id: of the message or the post.
        session: the conversation of a message; empty for a post.
        title: of the conversation or the post.
        role: who said it; empty for a post.
        date: when, seconds since 1970.
        text: all of it; empty where it is gone.
        vectors: of its pieces, ``float32 [dimensions]`` each.
        remembered_at: when the first of them was made; None for what was forgotten.
    """

    model: str
    source: Source
    source_id: str
    session: str
    title: str
    role: str
    date: float
    text: str
    vectors: tuple[bytes, ...]
    remembered_at: float | None


class Remembered:
    """Reads all of memory. Raises ``VaultLockedError`` while the vault is locked."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> AsyncIterator[RememberedText]:
        """What has vectors, by model, and then what was forgotten; a page at a time, so that others get their turn."""
        place = ("", "", "")
        while page := await self._database.read(partial(_page, query=_KEPT, behind=place)):
            for text in page:
                yield text
            place = (page[-1].model, page[-1].source, page[-1].source_id)
        gone = ("", "")
        while page := await self._database.read(partial(_page, query=_FORGOTTEN, behind=gone)):
            for text in page:
                yield text
            gone = (page[-1].source, page[-1].source_id)


def _page(connection: Connection, query: str, behind: tuple[str, ...]) -> tuple[RememberedText, ...]:
    keys = connection.execute(query, (*behind, _PAGE)).fetchall()
    return tuple(_text(connection, model, source, source_id) for model, source, source_id in keys)


def _text(connection: Connection, model: str, source: Source, source_id: str) -> RememberedText:
    told = connection.execute(_TEXTS[source], (source_id,)).fetchone() or ("", "", "", 0.0, "")
    rows = connection.execute(_VECTORS, (model, source, source_id)).fetchall() if model else ()
    session, title, role, date, text = told
    return RememberedText(
        model,
        source,
        source_id,
        session,
        title,
        role,
        date,
        text,
        tuple(bytes(vector) for vector, _ in rows),
        rows[0][1] if rows else None,
    )

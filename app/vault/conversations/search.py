"""Full-text search over messages and titles (SQLite's FTS5), fast enough to run at every key."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from app.vault.excerpts import CLOSE, OPEN, without_marks
from app.vault.storage.database import Database

from .records import SearchHit, SessionLine
from .sessions import LINE_COLUMNS, line_of

if TYPE_CHECKING:
    from sqlcipher3.dbapi2 import Connection

_EXCERPT_TOKENS = 24
_SHORTEST_BEGINNING = 2
_WORD = re.compile(r"\w+")

_MESSAGES = f"""
    SELECT s.id, s.title, m.id, m.role, m.created_at,
        snippet(messages_fts, 0, '{OPEN}', '{CLOSE}', '…', {_EXCERPT_TOKENS})
    FROM messages_fts
    JOIN messages m ON m.number = messages_fts.rowid
    JOIN sessions s ON s.number = m.session
    WHERE messages_fts MATCH ? AND s.deleted_at IS NULL
    ORDER BY messages_fts.rowid DESC LIMIT ?
"""  # noqa: S608 (text of our own)

_SESSIONS = f"""
    SELECT {LINE_COLUMNS} FROM titles_fts JOIN sessions s ON s.number = titles_fts.rowid
    WHERE titles_fts MATCH ? AND s.deleted_at IS NULL ORDER BY titles_fts.rowid DESC LIMIT ?
"""  # noqa: S608 (text of our own)


class Search:
    """Finds messages and sessions by words. Newest first: who searches a chat remembers it as lately said."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def messages(self, words: str, limit: int = 50) -> tuple[SearchHit, ...]:
        """Messages that hold every word; the last word may be only begun. Cancelling stops the query."""
        query = fts_query(words, _SHORTEST_BEGINNING)
        if not query:
            return ()

        def read(connection: Connection) -> tuple[SearchHit, ...]:
            return tuple(_hit(*row) for row in connection.execute(_MESSAGES, (query, limit)))

        return await self._database.read(read)

    async def sessions(self, words: str, limit: int = 50) -> tuple[SessionLine, ...]:
        """Sessions whose title holds every word; the last word may be only begun."""
        query = fts_query(words)
        if not query:
            return ()

        def read(connection: Connection) -> tuple[SessionLine, ...]:
            return tuple(line_of(row) for row in connection.execute(_SESSIONS, (query, limit)))

        return await self._database.read(read)


def fts_query(words: str, shortest: int = 1) -> str:
    """What a person typed as an FTS5 query: quoted words, so that none of its operators can be meant.

    The last word is a prefix unless something was typed after it. One of fewer than ``shortest`` letters of English is
    taken for a whole word, and left out beside others: half of all messages have a word that begins with it.
    """
    found = _WORD.findall(words)
    if not found:
        return ""
    quoted = [f'"{word}"' for word in found]
    if words.endswith(found[-1]):
        if len(found[-1]) >= shortest or not found[-1].isascii():
            quoted[-1] += "*"
        elif len(found) > 1:
            quoted.pop()
    return " ".join(quoted)


def _hit(session_id: str, title: str, node_id: str, role: str, created_at: float, marked: str) -> SearchHit:
    excerpt, marks = without_marks(marked)
    return SearchHit(
        session_id=session_id,
        session_title=title,
        node_id=node_id,
        role=role,
        created_at=created_at,
        excerpt=excerpt,
        marks=marks,
    )

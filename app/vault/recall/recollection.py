"""Messages and posts as memory finds them: by the numbers of their vectors, or by the words of a question.

What is deleted, forgotten, or of a session that stays out of memory is never given.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from app.vault.storage.database import Database

from .vectors import Source

if TYPE_CHECKING:
    from sqlcipher3.dbapi2 import Connection

_MOST_WORDS = 12
_MOST_HITS = 400
"""Looked at for each word, the newest first: a word that has more tells little."""

_STEM = 6
"""Letters of a long word that count, so that its other forms are found; the full-text index has beginnings of six."""

_WORD = re.compile(r"\w+")
_NOT_TELLING = """
    a about after again all also am an and any are as at be because been before being but by can could did do does
    doing don for from get give go had has have he her here him his how i if in into is it its just know like ll me
    mention mentioned more most much my need no not of off on once one only or other our out over please re remember
    remind said say she should so some such tell than that the their them then there these they this those through
    to told too up us use used using ve very want was we were what when where which while who whom whose why will
    with would you your
"""

_MESSAGE_COLUMNS = "m.id, s.id, s.title, m.role, m.created_at, m.text"
_POST = """SELECT p.id, p.title, p.updated_at, trim(p.title || char(10) || char(10) || p.body, char(10)) FROM posts p
    WHERE p.id = ? AND p.deleted_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM forgotten f WHERE f.source = 'post' AND f.source_id = p.id)"""
_OPEN_TO_MEMORY = """s.deleted_at IS NULL AND s.remembers AND m.role IN ('user', 'assistant')
    AND NOT EXISTS (SELECT 1 FROM forgotten f WHERE f.source = 'message' AND f.source_id = m.id)"""


class Recollection(Struct, frozen=True, kw_only=True):
    """A message or a post as memory found it.

    Attributes:
        session_id: where a message stands; empty for a post.
        title: of the session, or of the post.
        role: who said it; ``user`` for a post.
        text: whole.
        piece: which part of a long text was found; None when that is not known.
        strength: how much of the question's words it holds, 0 to 1, rare words counting more; 0 when found by meaning.
    """

    source: Source
    source_id: str
    session_id: str
    title: str
    role: str
    created_at: float
    text: str
    piece: int | None = None
    strength: float = 0.0


class Recollections:
    """Looks up what may be recalled. All of it raises ``VaultLockedError`` while the vault is locked."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_vectors(self, numbers: Sequence[int]) -> dict[int, Recollection]:
        """What the vectors of these numbers are of."""

        def read(connection: Connection) -> dict[int, Recollection]:
            marks = ",".join("?" * len(numbers))
            found: dict[int, Recollection] = {}
            # "+": by number, never by the index of sources, which would be read from end to end.
            query = f"""SELECT v.number, v.piece, {_MESSAGE_COLUMNS} FROM vectors v
                JOIN messages m ON m.id = v.source_id JOIN sessions s ON s.number = m.session
                WHERE v.number IN ({marks}) AND +v.source = 'message' AND {_OPEN_TO_MEMORY}"""  # noqa: S608
            for number, piece, *columns in connection.execute(query, tuple(numbers)):
                found[number] = _message(columns, piece)
            if len(found) == len(numbers):
                return found
            query = f"""SELECT v.number, v.piece, p.id, p.title, p.updated_at,
                trim(p.title || char(10) || char(10) || p.body, char(10)) FROM vectors v
                JOIN posts p ON p.id = v.source_id
                WHERE v.number IN ({marks}) AND +v.source = 'post' AND p.deleted_at IS NULL"""  # noqa: S608
            for number, piece, post_id, title, at, text in connection.execute(query, tuple(numbers)):
                found[number] = Recollection(
                    source="post",
                    source_id=post_id,
                    session_id="",
                    title=title,
                    role="user",
                    created_at=at,
                    text=text,
                    piece=piece,
                )
            return found

        return await self._database.read(read)

    async def of_sources(self, sources: Sequence[tuple[Source, str]]) -> tuple[Recollection, ...]:
        """Messages and posts by their ids, in no order; those that may not be recalled any more are left out."""

        def read(connection: Connection) -> tuple[Recollection, ...]:
            messages = f"""SELECT {_MESSAGE_COLUMNS} FROM messages m JOIN sessions s ON s.number = m.session
                WHERE m.id = ? AND {_OPEN_TO_MEMORY}"""  # noqa: S608 (text of our own)
            found: list[Recollection] = []
            for source, source_id in sources:
                row = connection.execute(messages if source == "message" else _POST, (source_id,)).fetchone()
                if row is not None:
                    found.append(_message(row, None) if source == "message" else _post(row))
            return tuple(found)

        return await self._database.read(read)

    async def by_words(self, question: str, limit: int = 40, least: float = 0.0) -> tuple[Recollection, ...]:
        """Messages that hold the telling words of a question, those with more and rarer ones first.

        SQLite's own ``bm25`` would read every message that holds a word; here each word costs at most some hundred.

        Args:
            question: in the person's words.
            limit: how many.
            least: the strength that a message needs; the texts of others are not read.
        """

        def read(connection: Connection) -> tuple[Recollection, ...]:
            words = telling_words(question)  # here, where a long question holds nobody up
            if not words:
                return ()
            scores = {number: score for number, score in _scores(connection, words).items() if score >= least}
            best = sorted(scores, key=lambda number: (-scores[number], -number))[: limit * 2]
            marks = ",".join("?" * len(best))
            query = f"""SELECT m.number, {_MESSAGE_COLUMNS} FROM messages m JOIN sessions s ON s.number = m.session
                WHERE m.number IN ({marks}) AND {_OPEN_TO_MEMORY}"""  # noqa: S608
            rows = {number: columns for number, *columns in connection.execute(query, best)}
            kept = [number for number in best if number in rows][:limit]
            return tuple(_message(rows[number], None, scores[number]) for number in kept)

        return await self._database.read(read)


def telling_words(question: str) -> tuple[str, ...]:
    """The words of a question that say what it is about, as FTS5 phrases; the longest of them where there are many."""
    words = dict.fromkeys(word.lower() for word in _WORD.findall(question))
    untelling = frozenset(_NOT_TELLING.split())
    telling = [word for word in words if word not in untelling and (len(word) > 1 or not word.isascii())]
    if len(telling) > _MOST_WORDS:
        longest = set(sorted(telling, key=len, reverse=True)[:_MOST_WORDS])
        telling = [word for word in telling if word in longest]
    return tuple(_phrase(word) for word in telling)


def _phrase(word: str) -> str:
    if len(word) > _STEM:
        return f'"{word[:_STEM]}"*'
    if not word.isascii() or not word.isalpha() or len(word) < 3:
        return f'"{word}"'
    return f'("{word[:-1]}" OR "{word}")' if word.endswith("s") else f'("{word}" OR "{word}s")'


def _scores(connection: Connection, words: Sequence[str]) -> dict[int, float]:
    total = connection.execute("SELECT max(number) FROM messages").fetchone()[0] or 1
    scores: dict[int, float] = {}
    whole = 0.0
    for word in words:
        rows = connection.execute(
            "SELECT rowid FROM messages_fts WHERE messages_fts MATCH ? ORDER BY rowid DESC LIMIT ?", (word, _MOST_HITS)
        ).fetchall()
        weight = math.log(1 + total / (len(rows) + 1))
        whole += weight
        for (number,) in rows:
            scores[number] = scores.get(number, 0.0) + weight
    return {number: score / whole for number, score in scores.items()}


def _post(columns: Sequence[Any]) -> Recollection:
    post_id, title, at, text = columns
    return Recollection(
        source="post", source_id=post_id, session_id="", title=title, role="user", created_at=at, text=text
    )


def _message(columns: Sequence[Any], piece: int | None, strength: float = 0.0) -> Recollection:
    message_id, session_id, title, role, created_at, text = columns
    return Recollection(
        source="message",
        source_id=message_id,
        session_id=session_id,
        title=title,
        role=role,
        created_at=created_at,
        text=text,
        piece=piece,
        strength=strength,
    )

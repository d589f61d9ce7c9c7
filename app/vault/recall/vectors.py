"""What memory keeps: vectors of messages and posts, which of them are forgotten, and what has no vector yet."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from app.vault.storage.database import Database

if TYPE_CHECKING:
    from sqlcipher3.dbapi2 import Connection

Source = Literal["message", "post"]

LEAST_CHARACTERS = 12
"""A text that is shorter ("thanks!") says nothing worth recalling."""

_ROWS_A_LOOK = 2000
_MESSAGES = """
    SELECT m.number, m.id, m.status = 'streaming', m.role IN ('user', 'assistant') AND s.remembers AND
        s.deleted_at IS NULL AND length(m.text) >= ? AND NOT EXISTS (
            SELECT 1 FROM vectors v WHERE v.source = 'message' AND v.source_id = m.id AND v.model = ?)
        AND NOT EXISTS (SELECT 1 FROM forgotten f WHERE f.source = 'message' AND f.source_id = m.id)
    FROM messages m JOIN sessions s ON s.number = m.session
    WHERE m.number > ? ORDER BY m.number LIMIT ?
"""
_POSTS = """
    SELECT p.id FROM posts p WHERE p.deleted_at IS NULL AND p.updated_at < ? AND length(p.title) + length(p.body) >= ?
        AND NOT EXISTS (SELECT 1 FROM vectors v WHERE v.source = 'post' AND v.source_id = p.id AND v.model = ?)
        AND NOT EXISTS (SELECT 1 FROM forgotten f WHERE f.source = 'post' AND f.source_id = p.id)
    ORDER BY p.number LIMIT ?
"""
_MESSAGE_TEXT = """
    SELECT m.text FROM messages m JOIN sessions s ON s.number = m.session
    WHERE m.id = ? AND m.status != 'streaming' AND s.remembers AND s.deleted_at IS NULL
        AND NOT EXISTS (SELECT 1 FROM forgotten f WHERE f.source = 'message' AND f.source_id = m.id)
"""
_POST_TEXT = """
    SELECT trim(p.title || char(10) || char(10) || p.body, char(10)) FROM posts p
    WHERE p.id = ? AND p.deleted_at IS NULL
        AND NOT EXISTS (SELECT 1 FROM forgotten f WHERE f.source = 'post' AND f.source_id = p.id)
"""
_TEXT: dict[Source, str] = {"message": _MESSAGE_TEXT, "post": _POST_TEXT}
_ADD_VECTOR = """
    INSERT INTO vectors (model, source, source_id, piece, text_sha256, vector, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)
"""


class Missing(Struct, frozen=True):
    """A text that has no vector of a model yet."""

    source: Source
    source_id: str
    text: str


class Look(Struct, frozen=True):
    """What one look for missing vectors found.

    Attributes:
        missing: the texts.
        seen: messages up to this number were looked at.
        unfinished: the first message that still streams and has to be looked at again; None for none.
        over: whether there is nothing behind ``seen``.
    """

    missing: tuple[Missing, ...]
    seen: int
    unfinished: int | None
    over: bool


class PieceVector(Struct, frozen=True):
    """A vector as it is kept: ``float32 [dimensions]``, and the signs of its numbers as bits."""

    vector: bytes
    sketch: bytes


class Embedded(Struct, frozen=True):
    """A text and the vectors of its pieces, in their order."""

    missing: Missing
    pieces: tuple[PieceVector, ...]


class Sketches(Struct, frozen=True):
    """Sketches one behind the other, and of which vectors they are (``int64``, in the machine's byte order).

    Attributes:
        seen: the number of the last of them, to read on from.
    """

    vectors: bytes
    sketches: bytes
    seen: int


class Standing(Struct, frozen=True):
    """How far memory is.

    Attributes:
        remembered: messages and posts that have vectors of the model.
        missing: those that have none yet and should.
        vectors: of the model; several for a long text.
        forgotten: messages and posts that are not to be remembered.
        other_models: the other models of which vectors are kept, with how many.
    """

    remembered: int
    missing: int
    vectors: int
    forgotten: int
    other_models: tuple[tuple[str, int], ...]


class Vectors:
    """Every vector of the vault. All of it raises ``VaultLockedError`` while the vault is locked."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # What is missing

    async def missing_messages(self, model: str, after: int = 0, limit: int = 64) -> Look:
        """The next messages without a vector of ``model``. Some rows a call, so that other readers get their turn."""

        def read(connection: Connection) -> Look:
            missing: list[Missing] = []
            unfinished: int | None = None
            rows = connection.execute(_MESSAGES, (LEAST_CHARACTERS, model, after, _ROWS_A_LOOK)).fetchall()
            seen = after
            for number, message_id, streaming, wanted in rows:
                if len(missing) == limit:
                    return Look(tuple(missing), seen, unfinished, over=False)
                seen = number
                if streaming:
                    unfinished = unfinished or number
                elif wanted:
                    text = connection.execute("SELECT text FROM messages WHERE number = ?", (number,)).fetchone()[0]
                    missing.append(Missing("message", message_id, text))
            return Look(tuple(missing), seen, unfinished, over=len(rows) < _ROWS_A_LOOK)

        return await self._database.read(read)

    async def missing_posts(self, model: str, unchanged_for: float = 60.0, limit: int = 16) -> tuple[Missing, ...]:
        """Posts without a vector of ``model`` that nobody has changed for so many seconds."""

        def read(connection: Connection) -> tuple[Missing, ...]:
            rows = connection.execute(_POSTS, (time.time() - unchanged_for, LEAST_CHARACTERS, model, limit)).fetchall()
            texts = ((post_id, connection.execute(_POST_TEXT, (post_id,)).fetchone()) for (post_id,) in rows)
            return tuple(Missing("post", post_id, text[0]) for post_id, text in texts if text is not None)

        return await self._database.read(read)

    # Writing

    async def put(self, model: str, embedded: Iterable[Embedded]) -> int:
        """Keeps vectors in one transaction; gives how many texts were kept.

        A text that was changed, forgotten or deleted while it was embedded, or whose session has left memory, is not.
        """
        all_of_it = tuple(embedded)
        now = time.time()

        def write(connection: Connection) -> int:
            return sum(_put(connection, model, each, now) for each in all_of_it)

        return await self._database.write(write)

    async def forget(self, source: Source, source_ids: Iterable[str]) -> int:
        """Removes these from memory for good: they are not embedded again. Gives how many were not forgotten before."""
        ids = tuple(source_ids)

        def write(connection: Connection) -> int:
            fresh = 0
            for source_id in ids:
                connection.execute("DELETE FROM vectors WHERE source = ? AND source_id = ?", (source, source_id))
                fresh += connection.execute(
                    "INSERT OR IGNORE INTO forgotten (source, source_id) VALUES (?, ?)", (source, source_id)
                ).rowcount
            return fresh

        return await self._database.write(write)

    async def remember_again(self, source: Source, source_ids: Iterable[str]) -> None:
        """Takes forgetting back: these may be embedded again."""
        ids = tuple(source_ids)

        def write(connection: Connection) -> None:
            for source_id in ids:
                connection.execute("DELETE FROM forgotten WHERE source = ? AND source_id = ?", (source, source_id))

        await self._database.write(write)

    async def forget_session(self, session_id: str) -> int:
        """Forgets every message of a session; gives how many."""

        def read(connection: Connection) -> tuple[str, ...]:
            rows = connection.execute(
                "SELECT m.id FROM messages m JOIN sessions s ON s.number = m.session WHERE s.id = ?", (session_id,)
            )
            return tuple(row[0] for row in rows)

        return await self.forget("message", await self._database.read(read))

    async def find(self, beginning: str) -> tuple[tuple[Source, str], ...]:
        """The messages and posts whose id begins so, at most three: more than one is unclear."""
        like = beginning.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"

        def read(connection: Connection) -> tuple[tuple[Source, str], ...]:
            found: list[tuple[Source, str]] = []
            for row in connection.execute("SELECT id FROM messages WHERE id LIKE ? ESCAPE '\\' LIMIT 3", (like,)):
                found.append(("message", row[0]))
            for row in connection.execute("SELECT id FROM posts WHERE id LIKE ? ESCAPE '\\' LIMIT 3", (like,)):
                found.append(("post", row[0]))
            return tuple(found[:3])

        return await self._database.read(read) if beginning else ()

    async def drop(self, model: str | None = None) -> int:
        """Removes every vector of a model, or of all; what was forgotten stays so. Gives how many vectors."""
        where, values = ("WHERE model = ?", (model,)) if model is not None else ("", ())
        return await self._database.write(
            lambda connection: int(connection.execute(f"DELETE FROM vectors {where}", values).rowcount)  # noqa: S608
        )

    # Reading

    async def sketches(self, model: str, after: int = 0) -> Sketches:
        """The sketches of a model's vectors that were written behind the one numbered ``after``."""

        def read(connection: Connection) -> Sketches:
            from array import array

            rows = connection.execute(
                "SELECT vector, sketch, number FROM sketches WHERE number > ? AND model = ? ORDER BY number",
                (after, model),
            ).fetchall()
            numbers = array("q", [row[0] for row in rows])
            return Sketches(numbers.tobytes(), b"".join([row[1] for row in rows]), rows[-1][2] if rows else after)

        return await self._database.read(read)

    async def vectors(self, numbers: Sequence[int]) -> tuple[tuple[int, bytes], ...]:
        """Vectors by their numbers, as (number, ``float32 [dimensions]``); those that are gone are left out."""

        def read(connection: Connection) -> tuple[tuple[int, bytes], ...]:
            marks = ",".join("?" * len(numbers))
            query = f"SELECT number, vector FROM vectors WHERE number IN ({marks})"  # noqa: S608 (question marks alone)
            return tuple(connection.execute(query, tuple(sorted(numbers))))

        return await self._database.read(read)

    async def vectors_of_messages(self, model: str, ids: Sequence[str]) -> tuple[tuple[str, int, bytes], ...]:
        """The vectors of messages, as (id, piece, ``float32 [dimensions]``)."""

        def read(connection: Connection) -> tuple[tuple[str, int, bytes], ...]:
            marks = ",".join("?" * len(ids))
            query = (
                "SELECT source_id, piece, vector FROM vectors WHERE source = 'message' AND model = ?"  # noqa: S608
                f" AND source_id IN ({marks})"
            )
            return tuple(connection.execute(query, (model, *ids)))

        return await self._database.read(read)

    async def standing(self, model: str) -> Standing:
        """How far memory is with a model. Counts, so it takes a while in a large vault."""

        def read(connection: Connection) -> Standing:
            def count(query: str, *values: object) -> int:
                return int(connection.execute(query, values).fetchone()[0])

            messages = count(
                "SELECT count(*) FROM messages m JOIN sessions s ON s.number = m.session WHERE s.remembers AND"
                " s.deleted_at IS NULL AND m.role IN ('user', 'assistant') AND m.status != 'streaming' AND"
                " length(m.text) >= ? AND NOT EXISTS (SELECT 1 FROM vectors v WHERE v.source = 'message' AND"
                " v.source_id = m.id AND v.model = ?) AND NOT EXISTS"
                " (SELECT 1 FROM forgotten f WHERE f.source = 'message' AND f.source_id = m.id)",
                LEAST_CHARACTERS,
                model,
            )
            posts = len(connection.execute(_POSTS, (time.time(), LEAST_CHARACTERS, model, -1)).fetchall())
            others = connection.execute(
                "SELECT model, count(*) FROM vectors WHERE model != ? GROUP BY model ORDER BY model", (model,)
            )
            return Standing(
                remembered=count("SELECT count(*) FROM vectors WHERE model = ? AND piece = 0", model),
                missing=messages + posts,
                vectors=count("SELECT count(*) FROM vectors WHERE model = ?", model),
                forgotten=count("SELECT count(*) FROM forgotten"),
                other_models=tuple((name, number) for name, number in others),
            )

        return await self._database.read(read)


def text_sha256(text: str) -> bytes:
    """The digest by which a vector knows its text."""
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()


def _put(connection: Connection, model: str, embedded: Embedded, now: float) -> bool:
    missing = embedded.missing
    row = connection.execute(_TEXT[missing.source], (missing.source_id,)).fetchone()
    if row is None or row[0] != missing.text:
        return False
    connection.execute(
        "DELETE FROM vectors WHERE model = ? AND source = ? AND source_id = ?",
        (model, missing.source, missing.source_id),
    )
    digest = text_sha256(missing.text)
    for place, piece in enumerate(embedded.pieces):
        added = connection.execute(
            _ADD_VECTOR, (model, missing.source, missing.source_id, place, digest, piece.vector, now)
        )
        connection.execute(
            "INSERT INTO sketches (model, vector, sketch) VALUES (?, ?, ?)", (model, added.lastrowid, piece.sketch)
        )
    return True

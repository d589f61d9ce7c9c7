"""The posts, and how each was before."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from app.errors import UnknownPostError
from app.vault.secrets import KEPT_STATES
from app.vault.storage.database import Database
from app.vault.storage.storable import storable

from .records import Post, PostHit, PostLine, Revision, RevisionLine
from .rows import COLUMNS, LINE_COLUMNS, hit_of, line_of, post_of
from .search import EXCERPT, MATCHING, post_query
from .slugs import slug_of

if TYPE_CHECKING:
    from sqlcipher3.dbapi2 import Connection

PostShelf = Literal["current", "bin"]

MOST_REVISIONS = 200
"""Kept of one post; the oldest go first."""

_ON_SHELF: dict[PostShelf, str] = {"current": "deleted_at IS NULL", "bin": "deleted_at IS NOT NULL"}
_SAVE = f"""
    INSERT INTO posts ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET title = excluded.title, slug = excluded.slug, status = excluded.status,
        date = excluded.date, tags = excluded.tags, body = excluded.body, updated_at = excluded.updated_at,
        deleted_at = excluded.deleted_at
"""  # noqa: S608 (column names of our own)


def new_post(**chosen: Any) -> Post:
    """A post that begins now, with an id of its own."""
    now = time.time()
    return Post(id=uuid.uuid4().hex, created_at=now, updated_at=now, **chosen)


class Posts:
    """Every post of the vault. All of it raises ``VaultLockedError`` while the vault is locked."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    # One

    async def save(self, post: Post) -> None:
        """Writes a post, or a newer version of one."""
        kept = _storable(post)

        def write(connection: Connection) -> None:
            connection.execute(
                _SAVE,
                (
                    kept.id,
                    kept.title,
                    kept.slug,
                    kept.status,
                    kept.date,
                    msgspec.json.encode(kept.tags).decode(),
                    kept.body,
                    kept.created_at,
                    kept.updated_at,
                    kept.deleted_at,
                ),
            )

        await self._database.write(write)

    async def get(self, post_id: str) -> Post:
        """One post.

        Raises:
            UnknownPostError: when there is none of this id.
        """
        return await self._database.read(lambda connection: _post(connection, post_id))

    async def find(self, words: str) -> Post:
        """The post that a person means: by id, by the beginning of an id, by slug, or by title. The bin is left out.

        A post without a slug is found by the one that its title makes, where no slug and no title is the same.

        Raises:
            UnknownPostError: when none fits, or several do.
        """
        return await self._database.read(lambda connection: _find(connection, storable(words.strip())))

    # Lists

    async def lines(
        self, offset: int = 0, limit: int = 100, *, shelf: PostShelf = "current", words: str = ""
    ) -> tuple[PostLine, ...]:
        """A part of the list, the latest first; with ``words`` those alone that have each, be it only begun."""

        def read(connection: Connection) -> tuple[PostLine, ...]:
            where, values = _where(shelf, words)
            rows = connection.execute(
                f"SELECT {LINE_COLUMNS} FROM posts WHERE {where}"  # noqa: S608 (text of our own)
                " ORDER BY updated_at DESC, number DESC LIMIT ? OFFSET ?",
                (*values, limit, offset),
            )
            return tuple(line_of(row) for row in rows)

        return await self._database.read(read)

    async def count(self, shelf: PostShelf = "current", words: str = "") -> int:
        """How many ``lines`` has in all."""

        def read(connection: Connection) -> int:
            where, values = _where(shelf, words)
            found = connection.execute(f"SELECT count(*) FROM posts WHERE {where}", values)  # noqa: S608
            return int(found.fetchone()[0])

        return await self._database.read(read)

    async def search(self, words: str, limit: int = 50, *, shelf: PostShelf = "current") -> tuple[PostHit, ...]:
        """Posts that have every word in title, tags or text, the latest first; a word may be only begun.

        Cancelling stops the query.
        """
        query = post_query(storable(words))
        if not query:
            return ()

        def read(connection: Connection) -> tuple[PostHit, ...]:
            rows = connection.execute(
                f"SELECT excerpt, {LINE_COLUMNS} FROM posts"  # noqa: S608 (text of our own)
                f" JOIN (SELECT rowid, {EXCERPT} AS excerpt FROM posts_fts WHERE posts_fts MATCH ?) found"
                f" ON found.rowid = posts.number WHERE {_ON_SHELF[shelf]}"
                " ORDER BY updated_at DESC, number DESC LIMIT ?",
                (query, limit),
            )
            return tuple(hit_of(row) for row in rows)

        return await self._database.read(read)

    # The bin

    async def delete(self, post_id: str) -> None:
        """Puts a post into the bin.

        Raises:
            UnknownPostError: when there is none of this id.
        """
        await self._set_deleted(post_id, self._clock())

    async def restore(self, post_id: str) -> None:
        """Takes a post out of the bin.

        Raises:
            UnknownPostError: when there is none of this id.
        """
        await self._set_deleted(post_id, None)

    async def purge(self, post_id: str) -> None:
        """Removes a post and its revisions for good; nothing happens when there is none."""

        def write(connection: Connection) -> None:
            connection.execute("DELETE FROM posts WHERE id = ?", (post_id,))
            connection.execute("DELETE FROM secrets WHERE name = ?", (KEPT_STATES,))

        await self._database.write(write)

    async def _set_deleted(self, post_id: str, at: float | None) -> None:
        def write(connection: Connection) -> None:
            if not connection.execute("UPDATE posts SET deleted_at = ? WHERE id = ?", (at, post_id)).rowcount:
                raise _unknown(post_id)

        await self._database.write(write)

    # Revisions

    async def revise(self, post_id: str, reason: str) -> Revision | None:
        """Keeps the post as it is now among its revisions; None when the newest one is the same.

        Raises:
            UnknownPostError: when there is none of this id.
        """

        def write(connection: Connection) -> Revision | None:
            number, title, body = _row(connection, post_id, "number, title, body")
            newest = connection.execute(
                "SELECT title, body FROM post_revisions WHERE post = ? ORDER BY number DESC LIMIT 1", (number,)
            ).fetchone()
            if newest is not None and tuple(newest) == (title, body):
                return None
            now = self._clock()
            made = connection.execute(
                "INSERT INTO post_revisions (post, created_at, reason, title, body) VALUES (?, ?, ?, ?, ?)",
                (number, now, storable(reason), title, body),
            ).lastrowid
            connection.execute(
                "DELETE FROM post_revisions WHERE post = ? AND number NOT IN"
                " (SELECT number FROM post_revisions WHERE post = ? ORDER BY number DESC LIMIT ?)",
                (number, number, MOST_REVISIONS),
            )
            return Revision(number=int(made or 0), created_at=now, reason=storable(reason), title=title, body=body)

        return await self._database.write(write)

    async def revisions(self, post_id: str) -> tuple[RevisionLine, ...]:
        """Every revision of a post, the latest first, without their bodies; none for a post that does not exist."""

        def read(connection: Connection) -> tuple[RevisionLine, ...]:
            rows = connection.execute(
                "SELECT r.number, r.created_at, r.reason, r.title, length(r.body) FROM post_revisions r"
                " JOIN posts p ON p.number = r.post WHERE p.id = ? ORDER BY r.number DESC",
                (post_id,),
            )
            return tuple(
                RevisionLine(number=number, created_at=at, reason=reason, title=title, characters=characters)
                for number, at, reason, title, characters in rows
            )

        return await self._database.read(read)

    async def revision(self, post_id: str, number: int) -> Revision:
        """One revision.

        Raises:
            UnknownPostError: when the post has none of this number.
        """

        def read(connection: Connection) -> Revision:
            row = connection.execute(
                "SELECT r.number, r.created_at, r.reason, r.title, r.body FROM post_revisions r"
                " JOIN posts p ON p.number = r.post WHERE p.id = ? AND r.number = ?",
                (post_id, number),
            ).fetchone()
            if row is None:
                raise UnknownPostError(f"The post has no revision {number}.", "`playground posts revisions` shows all.")
            return Revision(number=row[0], created_at=row[1], reason=row[2], title=row[3], body=row[4])

        return await self._database.read(read)


def _storable(post: Post) -> Post:
    return msgspec.structs.replace(
        post,
        title=storable(post.title),
        slug=storable(post.slug),
        tags=tuple(storable(tag) for tag in post.tags),
        body=storable(post.body),
    )


def _where(shelf: PostShelf, words: str) -> tuple[str, tuple[str, ...]]:
    """What a list is narrowed by. Signs alone, without a word, narrow it to nothing: they are found nowhere."""
    if not words.strip():
        return _ON_SHELF[shelf], ()
    query = post_query(storable(words))
    return (f"{_ON_SHELF[shelf]} AND {MATCHING}", (query,)) if query else ("0", ())


def _row(connection: Connection, post_id: str, columns: str) -> tuple[Any, ...]:
    row = connection.execute(f"SELECT {columns} FROM posts WHERE id = ?", (storable(post_id),)).fetchone()  # noqa: S608
    if row is None:
        raise _unknown(post_id)
    return tuple(row)


def _post(connection: Connection, post_id: str) -> Post:
    return post_of(_row(connection, post_id, COLUMNS))


def _find(connection: Connection, words: str) -> Post:
    by_id = connection.execute(
        f"SELECT {COLUMNS} FROM posts WHERE deleted_at IS NULL AND substr(id, 1, ?) = ?",  # noqa: S608
        (len(words), words),
    ).fetchmany(3)
    named = connection.execute(
        f"SELECT {COLUMNS} FROM posts WHERE deleted_at IS NULL AND (slug = ? OR lower(title) = lower(?))",  # noqa: S608
        (words, words),
    ).fetchmany(3)
    named = named or _by_title_as_slug(connection, words)
    found = {row[0]: row for row in (named or by_id)} if words else {}
    if len(found) == 1:
        return post_of(next(iter(found.values())))
    if not found:
        raise _unknown(words)
    several = ", ".join(f"{row[0][:8]} “{row[1]}”" for row in found.values())
    raise UnknownPostError(f"{words!r} could be several posts: {several}.", "Give more of the id.")


def _by_title_as_slug(connection: Connection, words: str) -> list[tuple[Any, ...]]:
    """Rows of the posts without a slug whose title makes this one."""
    if not words or slug_of(words) != words:
        return []
    titles = connection.execute("SELECT id, title FROM posts WHERE deleted_at IS NULL AND slug = ''")
    fitting = [post_id for post_id, title in titles if title and slug_of(title) == words][:3]
    return [_row(connection, post_id, COLUMNS) for post_id in fitting]


def _unknown(words: str) -> UnknownPostError:
    return UnknownPostError(f"There is no post {words!r}.", "`playground posts list` shows all.")

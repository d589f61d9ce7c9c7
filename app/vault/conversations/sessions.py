"""The sessions: the list of conversations, and what is known of each."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from app.errors import UnknownSessionError
from app.messages import Sampling
from app.vault.secrets import KEPT_STATES
from app.vault.storage.database import Database
from app.vault.storage.storable import storable

from .messages import insert_nodes, nodes_of, session_number
from .records import Session, SessionLine, TitledBy, WholeSession

if TYPE_CHECKING:
    from sqlcipher3.dbapi2 import Connection

Shelf = Literal["current", "archived", "bin"]
"""Where a session is: in the usual list, put away, or deleted and not yet gone."""

_ON_SHELF: dict[Shelf, str] = {
    "current": "deleted_at IS NULL AND archived = 0",
    "archived": "deleted_at IS NULL AND archived = 1",
    "bin": "deleted_at IS NOT NULL",
}
_TAGGED = "number IN (SELECT session FROM session_tags WHERE tag = ?)"
_COLUMNS = (
    "id, title, titled_by, created_at, updated_at, pinned, archived, deleted_at, system, sampling, model, head_id,"
    " remembers"
)
LINE_COLUMNS = (
    "s.id, s.title, s.updated_at, s.pinned, s.archived, s.deleted_at IS NOT NULL, s.messages,"
    " (SELECT group_concat(tag, char(31)) FROM session_tags WHERE session = s.number)"
)
_SAVE = f"""
    INSERT INTO sessions ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET title = excluded.title, titled_by = excluded.titled_by,
        updated_at = excluded.updated_at, pinned = excluded.pinned, archived = excluded.archived,
        deleted_at = excluded.deleted_at, system = excluded.system, sampling = excluded.sampling,
        model = excluded.model, head_id = excluded.head_id, remembers = excluded.remembers
"""  # noqa: S608 (column names of our own)


def new_session(**chosen: Any) -> Session:
    """A session that begins now, with an id of its own."""
    now = time.time()
    return Session(id=uuid.uuid4().hex, created_at=now, updated_at=now, **chosen)


class Sessions:
    """Every session of the vault."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # One

    async def create(self, session: Session) -> None:
        """Writes a session, or a newer version of one, tags included."""
        await self._database.write(lambda connection: _save(connection, session))

    async def get(self, session_id: str) -> Session:
        """A session without its messages.

        Raises:
            UnknownSessionError: when there is none of this id.
        """
        return await self._database.read(lambda connection: _session(connection, session_id))

    async def find(self, words: str) -> Session:
        """The session that a person means: by id, by the beginning of an id, or by title. The bin is left out.

        Raises:
            UnknownSessionError: when none fits, or several do.
        """
        return await self._database.read(lambda connection: _find(connection, storable(words.strip())))

    async def load(self, session_id: str) -> WholeSession:
        """A session with every message of every branch.

        Raises:
            UnknownSessionError: when there is none of this id.
        """
        return await self._database.read(
            lambda connection: WholeSession(_session(connection, session_id), nodes_of(connection, session_id))
        )

    async def add(self, whole: WholeSession) -> Session:
        """Takes a whole conversation in, as an import does. Ids that are taken are replaced.

        Returns:
            The session as it is kept.
        """

        def write(connection: Connection) -> Session:
            fresh = _with_free_ids(connection, whole)
            _save(connection, fresh.session)
            number = session_number(connection, fresh.session.id)
            insert_nodes(connection, number, fresh.nodes)
            connection.execute("UPDATE sessions SET messages = ? WHERE number = ?", (len(fresh.nodes), number))
            return fresh.session

        return await self._database.write(write)

    # Lists

    async def lines(
        self, offset: int = 0, limit: int = 100, *, shelf: Shelf = "current", tag: str | None = None
    ) -> tuple[SessionLine, ...]:
        """A part of the list: pinned ones first, then the latest."""

        def read(connection: Connection) -> tuple[SessionLine, ...]:
            where, values = _where(shelf, tag)
            rows = connection.execute(
                f"SELECT {LINE_COLUMNS} FROM sessions s WHERE {where}"  # noqa: S608 (text of our own)
                " ORDER BY s.pinned DESC, s.updated_at DESC, s.number DESC LIMIT ? OFFSET ?",
                (*values, limit, offset),
            )
            return tuple(line_of(row) for row in rows)

        return await self._database.read(read)

    async def count(self, shelf: Shelf = "current", tag: str | None = None) -> int:
        """How many ``lines`` has in all."""

        def read(connection: Connection) -> int:
            where, values = _where(shelf, tag)
            found = connection.execute(f"SELECT count(*) FROM sessions s WHERE {where}", values)  # noqa: S608
            return int(found.fetchone()[0])

        return await self._database.read(read)

    async def newest(self) -> str | None:
        """The id of the session that was changed last, the bin left out; None when there is none."""

        def read(connection: Connection) -> str | None:
            row = connection.execute(
                "SELECT id FROM sessions WHERE deleted_at IS NULL ORDER BY updated_at DESC, number DESC LIMIT 1"
            ).fetchone()
            return None if row is None else str(row[0])

        return await self._database.read(read)

    async def tags(self) -> tuple[tuple[str, int], ...]:
        """Every tag in use with its number of sessions, most used first."""

        def read(connection: Connection) -> tuple[tuple[str, int], ...]:
            rows = connection.execute(
                "SELECT tag, count(*) FROM session_tags t JOIN sessions s ON s.number = t.session"
                " WHERE s.deleted_at IS NULL GROUP BY tag ORDER BY count(*) DESC, tag"
            )
            return tuple((str(tag), int(count)) for tag, count in rows)

        return await self._database.read(read)

    # Changes

    async def rename(self, session_id: str, title: str, by: TitledBy = "person") -> None:
        """Gives a title. One that a model chose does not replace a person's."""
        guard = "" if by == "person" else " AND titled_by != 'person'"
        await self._change(session_id, "title = ?, titled_by = ?", (storable(title.strip()), by), guard)

    async def pin(self, session_id: str, on: bool) -> None:
        """Keeps a session at the top of the list."""
        await self._change(session_id, "pinned = ?", (int(on),))

    async def archive(self, session_id: str, on: bool) -> None:
        """Puts a session away, or takes it back into the usual list."""
        await self._change(session_id, "archived = ?", (int(on),))

    async def delete(self, session_id: str) -> None:
        """Puts a session into the bin, from where ``restore`` brings it back."""
        await self._change(session_id, "deleted_at = ?", (time.time(),))

    async def restore(self, session_id: str) -> None:
        """Takes a session out of the bin."""
        await self._change(session_id, "deleted_at = ?", (None,))

    async def purge(self, session_id: str) -> None:
        """Removes a session for good: its messages, and every note whose name ends with a dot and its id."""

        def write(connection: Connection) -> None:
            connection.execute("DELETE FROM sessions WHERE number = ?", (session_number(connection, session_id),))
            connection.execute("DELETE FROM state WHERE substr(name, -length(?1)) = ?1", (f".{session_id}",))
            connection.execute("DELETE FROM secrets WHERE name = ?", (KEPT_STATES,))

        await self._database.write(write)

    async def set_tags(self, session_id: str, tags: tuple[str, ...]) -> None:
        """Replaces the tags of a session."""
        await self._database.write(
            lambda connection: _write_tags(connection, session_number(connection, session_id), tags)
        )

    async def configure(self, session: Session) -> None:
        """Keeps the instructions, the sampling, the model and the memory switch of a session."""
        await self._change(
            session.id,
            "system = ?, sampling = ?, model = ?, remembers = ?",
            (
                storable(session.system),
                _sampling_text(session.sampling),
                storable(session.model),
                int(session.remembers),
            ),
        )

    async def _change(self, session_id: str, assignments: str, values: tuple[object, ...], guard: str = "") -> None:
        def write(connection: Connection) -> None:
            number = session_number(connection, session_id)
            connection.execute(
                f"UPDATE sessions SET {assignments} WHERE number = ?{guard}",  # noqa: S608 (text of our own)
                (*values, number),
            )

        await self._database.write(write)


def line_of(row: tuple[Any, ...]) -> SessionLine:
    """A row of ``LINE_COLUMNS``."""
    session_id, title, updated_at, pinned, archived, deleted, messages, tags = row
    return SessionLine(
        id=session_id,
        title=title,
        updated_at=updated_at,
        pinned=bool(pinned),
        archived=bool(archived),
        deleted=bool(deleted),
        messages=messages,
        tags=tuple(sorted(tags.split("\x1f"))) if tags else (),
    )


def _where(shelf: Shelf, tag: str | None) -> tuple[str, tuple[str, ...]]:
    if tag is None:
        return _ON_SHELF[shelf], ()
    return f"{_ON_SHELF[shelf]} AND {_TAGGED}", (tag,)


def _session(connection: Connection, session_id: str) -> Session:
    number = session_number(connection, session_id)
    row = connection.execute(f"SELECT {_COLUMNS} FROM sessions WHERE number = ?", (number,)).fetchone()  # noqa: S608
    tags = connection.execute("SELECT tag FROM session_tags WHERE session = ? ORDER BY tag", (number,))
    names = [name.strip() for name in _COLUMNS.split(",")]
    known: dict[str, Any] = dict(zip(names, row, strict=True))
    known |= {
        "pinned": bool(known["pinned"]),
        "archived": bool(known["archived"]),
        "remembers": bool(known["remembers"]),
        "sampling": msgspec.json.decode(known["sampling"], type=Sampling),
        "tags": tuple(tag for (tag,) in tags),
    }
    return Session(**known)


def _save(connection: Connection, session: Session) -> None:
    connection.execute(
        _SAVE,
        (
            session.id,
            storable(session.title),
            session.titled_by,
            session.created_at,
            session.updated_at,
            int(session.pinned),
            int(session.archived),
            session.deleted_at,
            storable(session.system),
            _sampling_text(session.sampling),
            storable(session.model),
            session.head_id,
            int(session.remembers),
        ),
    )
    _write_tags(connection, session_number(connection, session.id), session.tags)


def _sampling_text(sampling: Sampling) -> str:
    chosen = {name: value for name, value in msgspec.structs.asdict(sampling).items() if value not in (None, {}, ())}
    if "stop" in chosen:
        chosen["stop"] = tuple(storable(words) for words in chosen["stop"])
    return msgspec.json.encode(chosen).decode()


def _write_tags(connection: Connection, number: int, tags: tuple[str, ...]) -> None:
    connection.execute("DELETE FROM session_tags WHERE session = ?", (number,))
    wanted = {storable(tag.strip()).replace("\x1f", " ") for tag in tags} - {""}
    connection.executemany("INSERT INTO session_tags (session, tag) VALUES (?, ?)", [(number, tag) for tag in wanted])


def _find(connection: Connection, words: str) -> Session:
    rows: list[tuple[str, str]] = []
    if words:
        # SQLite's own comparisons fold the letters of English alone.
        connection.create_function("folded", 1, str.casefold, deterministic=True)
        for condition, value in (
            ("id = ?", words),
            ("folded(title) = ?", words.casefold()),
            ("substr(id, 1, length(?1)) = ?1", words),
            ("instr(folded(title), ?) > 0", words.casefold()),
        ):
            rows = connection.execute(
                f"SELECT id, title FROM sessions WHERE deleted_at IS NULL AND {condition}"  # noqa: S608
                " ORDER BY updated_at DESC LIMIT 5",
                (value,),
            ).fetchall()
            if rows:
                break
    if len(rows) == 1:
        return _session(connection, rows[0][0])
    if not rows:
        raise UnknownSessionError(f"There is no session {words!r}.", "`playground sessions list` shows all.")
    several = ", ".join(f"{session_id[:8]} ({title or 'untitled'})" for session_id, title in rows)
    raise UnknownSessionError(f"{words!r} could be several sessions: {several}.", "Give more of the id.")


def _with_free_ids(connection: Connection, whole: WholeSession) -> WholeSession:
    session = whole.session
    if connection.execute("SELECT 1 FROM sessions WHERE id = ?", (session.id,)).fetchone():
        session = msgspec.structs.replace(session, id=uuid.uuid4().hex)
    taken = {
        node.id
        for node in whole.nodes
        if connection.execute("SELECT 1 FROM messages WHERE id = ?", (node.id,)).fetchone()
    }
    fresh = {node_id: uuid.uuid4().hex for node_id in taken}
    nodes = tuple(
        msgspec.structs.replace(
            node,
            id=fresh.get(node.id, node.id),
            parent_id=None if node.parent_id is None else fresh.get(node.parent_id, node.parent_id),
        )
        for node in whole.nodes
    )
    head = session.head_id
    return WholeSession(
        msgspec.structs.replace(session, head_id=None if head is None else fresh.get(head, head)), nodes
    )

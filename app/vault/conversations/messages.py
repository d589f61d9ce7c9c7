"""The messages of conversations: whole trees in, whole trees out, and each change as it happens."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from app.errors import UnknownSessionError, VaultDamagedError
from app.messages import Failure, FinishReason, Message, Node, Part, Quoted, Role, Text, Timings, Usage, Way
from app.vault.storage.cipher import RESTORE
from app.vault.storage.database import Database
from app.vault.storage.storable import storable, storable_message

if TYPE_CHECKING:
    from sqlcipher3.dbapi2 import Connection


class _Details(Struct, frozen=True, omit_defaults=True, array_like=True):
    """What of a node has no column of its own, because nothing searches for it."""

    finish: FinishReason | None = None
    usage: Usage | None = None
    timings: Timings | None = None
    first_token: float | None = None
    error: Failure | None = None
    way: Way | None = None
    quoted: tuple[Quoted, ...] = ()


_PARTS = msgspec.msgpack.Decoder(tuple[Part, ...])
_DETAILS = msgspec.msgpack.Decoder(_Details)
_ENCODER = msgspec.msgpack.Encoder()
_NO_DETAILS = _Details()

_SAVE = """
    INSERT INTO messages (id, session, parent_id, role, text, parts, created_at, status, model, details)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET text = excluded.text, parts = excluded.parts, status = excluded.status,
        model = excluded.model, details = excluded.details
"""

_KNOWN = "SELECT 1 FROM messages WHERE id = ?"


class Messages:
    """The messages of every session."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self, session_id: str) -> tuple[Node, ...]:
        """Every message of a session, each after its parent; nothing for a session that does not exist."""

        def read(connection: Connection) -> tuple[Node, ...]:
            return nodes_of(connection, session_id)

        return await self._database.read(read)

    async def save(self, session_id: str, nodes: Iterable[Node], head_id: str | None) -> None:
        """Writes new messages and newer versions of old ones, and which branch is shown, in one transaction.

        Raises:
            UnknownSessionError: when there is no such session.
        """
        kept = tuple(nodes)

        def write(connection: Connection) -> None:
            number = session_number(connection, session_id)
            if not kept:
                connection.execute("UPDATE sessions SET head_id = ? WHERE number = ?", (head_id, number))
                return
            fresh = sum(not connection.execute(_KNOWN, (node_id,)).fetchone() for node_id in {node.id for node in kept})
            insert_nodes(connection, number, kept)
            connection.execute(
                "UPDATE sessions SET head_id = ?, updated_at = ?, messages = messages + ? WHERE number = ?",
                (head_id, time.time(), fresh, number),
            )

        await self._database.write(write)

    async def checkpoint(self, node: Node) -> None:
        """Writes what has come of an answer whose row is there already: the cheapest write there is."""
        message = storable_message(node.message)

        def write(connection: Connection) -> None:
            connection.execute(
                "UPDATE messages SET text = ?, parts = ?, status = ?, details = ? WHERE id = ?",
                (message.text, _parts_of(message), node.status, _details_of(node), node.id),
            )

        await self._database.write(write)

    async def remove(self, node_ids: Iterable[str]) -> None:
        """Removes messages for good: a prompt that was taken back unanswered."""
        ids = tuple(node_ids)

        def write(connection: Connection) -> None:
            for node_id in ids:
                row = connection.execute("SELECT session FROM messages WHERE id = ?", (node_id,)).fetchone()
                if row is not None:
                    connection.execute("DELETE FROM messages WHERE id = ?", (node_id,))
                    connection.execute("UPDATE sessions SET messages = messages - 1 WHERE number = ?", row)

        await self._database.write(write)


def cut_what_streams(connection: Connection) -> int:
    """Marks answers that nobody gives any more as cut; gives how many. For when this program has the vault alone."""
    return int(connection.execute("UPDATE messages SET status = 'cut' WHERE status = 'streaming'").rowcount)


def session_number(connection: Connection, session_id: str) -> int:
    """The row of a session.

    Raises:
        UnknownSessionError: when there is none.
    """
    row = connection.execute("SELECT number FROM sessions WHERE id = ?", (session_id,)).fetchone()
    if row is None:
        raise UnknownSessionError(f"There is no session {session_id!r}.", "`playground sessions list` shows all.")
    return int(row[0])


def nodes_of(connection: Connection, session_id: str) -> tuple[Node, ...]:
    """Every message of a session in the order of their making."""
    rows = connection.execute(
        "SELECT m.id, m.parent_id, m.role, m.text, m.parts, m.created_at, m.status, m.model, m.details"
        " FROM messages m JOIN sessions s ON s.number = m.session WHERE s.id = ? ORDER BY m.number",
        (session_id,),
    )
    return tuple(_node(row) for row in rows)


def insert_nodes(connection: Connection, session: int, nodes: Iterable[Node]) -> None:
    """Writes messages, inside a transaction that is open."""
    connection.executemany(_SAVE, [_row(session, node) for node in nodes])


def _row(session: int, node: Node) -> tuple[object, ...]:
    message = storable_message(node.message)
    return (
        node.id,
        session,
        node.parent_id,
        message.role,
        message.text,
        _parts_of(message),
        node.created_at,
        node.status,
        node.model,
        _details_of(node),
    )


def _parts_of(message: Message) -> bytes | None:
    """The parts, where they are more than the one text that has a column."""
    if len(message.parts) == 1 and isinstance(message.parts[0], Text) and not message.parts[0].name:
        return None
    return _ENCODER.encode(message.parts)


def _details_of(node: Node) -> bytes | None:
    details = _Details(
        node.finish,
        node.usage,
        node.timings,
        node.first_token,
        _storable_failure(node.error),
        _storable_way(node.way),
        node.quoted,
    )
    return None if details == _NO_DETAILS else _ENCODER.encode(details)


def _storable_failure(failure: Failure | None) -> Failure | None:
    if failure is None:
        return None
    return msgspec.structs.replace(failure, message=storable(failure.message), remedy=storable(failure.remedy))


def _storable_way(way: Way | None) -> Way | None:
    return None if way is None else msgspec.structs.replace(way, reason=storable(way.reason))


def _node(row: tuple[Any, ...]) -> Node:
    node_id, parent_id, role, text, parts, created_at, status, model, details = row
    try:
        message = Message(_role(role), (Text(text),) if parts is None else _PARTS.decode(parts))
        more = _NO_DETAILS if details is None else _DETAILS.decode(details)
    except msgspec.MsgspecError as error:
        raise VaultDamagedError(f"Message {node_id} of the vault cannot be read: {error}.", RESTORE) from error
    return Node(
        id=node_id,
        parent_id=parent_id,
        message=message,
        created_at=created_at,
        status=status,
        model=model,
        finish=more.finish,
        usage=more.usage,
        timings=more.timings,
        first_token=more.first_token,
        error=more.error,
        way=more.way,
        quoted=more.quoted,
    )


def _role(found: str) -> Role:
    return found  # type: ignore[return-value]  # written from a Role, in a file that nothing else can write to

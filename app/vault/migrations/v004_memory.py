"""What recall needs: short sketches of the vectors, which open fast, and vectors that go when their text does."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database

_STATEMENTS = (
    "CREATE INDEX vectors_of_source ON vectors (source, source_id)",
    # The signs of a vector's numbers, a bit each. An index of them opens by reading 48 bytes where a vector has 1,536.
    # A number is never given twice, so that who has read up to one needs to read only what comes after it.
    """CREATE TABLE sketches (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        model TEXT NOT NULL,
        vector INTEGER NOT NULL UNIQUE REFERENCES vectors (number) ON DELETE CASCADE,
        sketch BLOB NOT NULL
    )""",
    """CREATE TRIGGER vectors_of_removed_messages AFTER DELETE ON messages BEGIN
        DELETE FROM vectors WHERE source = 'message' AND source_id = old.id;
        DELETE FROM forgotten WHERE source = 'message' AND source_id = old.id;
    END""",
    # Not at each checkpoint of an answer: nothing is remembered of one that still streams, or streams again.
    """CREATE TRIGGER vectors_of_changed_messages AFTER UPDATE OF text, status ON messages
        WHEN old.status != 'streaming' AND (old.text IS NOT new.text OR new.status = 'streaming') BEGIN
        DELETE FROM vectors WHERE source = 'message' AND source_id = old.id;
    END""",
    """CREATE TRIGGER vectors_of_removed_posts AFTER DELETE ON posts BEGIN
        DELETE FROM vectors WHERE source = 'post' AND source_id = old.id;
        DELETE FROM forgotten WHERE source = 'post' AND source_id = old.id;
    END""",
    """CREATE TRIGGER vectors_of_changed_posts AFTER UPDATE OF title, body ON posts
        WHEN old.title IS NOT new.title OR old.body IS NOT new.body BEGIN
        DELETE FROM vectors WHERE source = 'post' AND source_id = old.id;
    END""",
    """CREATE TRIGGER vectors_of_private_sessions AFTER UPDATE OF remembers ON sessions WHEN new.remembers = 0 BEGIN
        DELETE FROM vectors WHERE source = 'message'
            AND source_id IN (SELECT id FROM messages WHERE session = new.number);
    END""",
)


def apply(database: Database) -> None:
    """Adds the table, its index and the triggers."""
    for statement in _STATEMENTS:
        database.execute(statement)

"""Posts found by their words, as messages are."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database

_STATEMENTS = (
    # ``tags`` is a JSON list: its brackets and quotes are no letters, so the words in it are found like others.
    """CREATE VIRTUAL TABLE posts_fts USING fts5 (
        title, tags, body, content='posts', content_rowid='number', prefix='2 3 4',
        tokenize='unicode61 remove_diacritics 2'
    )""",
    """CREATE TRIGGER posts_added AFTER INSERT ON posts BEGIN
        INSERT INTO posts_fts (rowid, title, tags, body) VALUES (new.number, new.title, new.tags, new.body);
    END""",
    """CREATE TRIGGER posts_removed AFTER DELETE ON posts BEGIN
        INSERT INTO posts_fts (posts_fts, rowid, title, tags, body)
            VALUES ('delete', old.number, old.title, old.tags, old.body);
    END""",
    """CREATE TRIGGER posts_changed AFTER UPDATE OF title, tags, body ON posts
        WHEN old.title IS NOT new.title OR old.tags IS NOT new.tags OR old.body IS NOT new.body BEGIN
        INSERT INTO posts_fts (posts_fts, rowid, title, tags, body)
            VALUES ('delete', old.number, old.title, old.tags, old.body);
        INSERT INTO posts_fts (rowid, title, tags, body) VALUES (new.number, new.title, new.tags, new.body);
    END""",
    "INSERT INTO posts_fts (posts_fts) VALUES ('rebuild')",
)


def apply(database: Database) -> None:
    """Indexes the words of every post that is there, and of every one to come."""
    for statement in _STATEMENTS:
        database.execute(statement)

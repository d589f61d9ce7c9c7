"""The library of prompts: what is known of each, and what stood under its name before."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database

_STATEMENTS = (
    # The first schema had a table without a bin, which nothing wrote into. A unique name cannot be altered away.
    "ALTER TABLE prompts RENAME TO prompts_before",
    """CREATE TABLE prompts (
        number INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        kind TEXT NOT NULL,
        title TEXT NOT NULL DEFAULT '',
        description TEXT NOT NULL DEFAULT '',
        tags TEXT NOT NULL DEFAULT '[]',
        text TEXT NOT NULL,
        model TEXT NOT NULL DEFAULT '',
        sampling TEXT NOT NULL DEFAULT '{}',
        updated_at REAL NOT NULL,
        deleted_at REAL
    )""",
    """INSERT INTO prompts (name, kind, text, updated_at)
        SELECT name, CASE kind WHEN 'persona' THEN 'persona' ELSE 'prompt' END, text, updated_at FROM prompts_before""",
    "DROP TABLE prompts_before",
    # One of a name is in use; those that were put into the bin, or replaced, lie beside it.
    "CREATE UNIQUE INDEX prompts_in_use ON prompts (name) WHERE deleted_at IS NULL",
    "CREATE INDEX prompts_before_by_name ON prompts (name, deleted_at) WHERE deleted_at IS NOT NULL",
)


def apply(database: Database) -> None:
    """Gives the library its table."""
    for statement in _STATEMENTS:
        database.execute(statement)

"""Requests to models: notes found by how they ended and what was asked for, answers by when they were used."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database

_STATEMENTS = (
    "ALTER TABLE audit ADD COLUMN outcome TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE audit ADD COLUMN asked TEXT NOT NULL DEFAULT ''",
    "CREATE INDEX answers_cached_by_use ON answers_cached (used_at)",
    "CREATE INDEX answers_cached_by_expiry ON answers_cached (expires_at)",
)


def apply(database: Database) -> None:
    """Adds two columns to the notes, and the orders in which answers are let go."""
    for statement in _STATEMENTS:
        database.execute(statement)

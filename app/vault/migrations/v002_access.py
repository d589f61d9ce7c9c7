"""Who may ask, continued: sign-ins that can be renewed and ended, and usage found by its key."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database

_STATEMENTS = (
    # A token is renewed by one that is worth a single use; ``family`` is the sign-in that they all come from.
    """CREATE TABLE refresh_tokens (
        sha256 BLOB PRIMARY KEY,
        family TEXT NOT NULL REFERENCES sign_ins (id) ON DELETE CASCADE,
        issued_at REAL NOT NULL,
        used_at REAL
    ) WITHOUT ROWID""",
    """CREATE TABLE sign_ins (
        id TEXT PRIMARY KEY,
        user TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
        created_at REAL NOT NULL,
        expires_at REAL NOT NULL,
        ended_at REAL
    ) WITHOUT ROWID""",
    "CREATE INDEX sign_ins_of_user ON sign_ins (user)",
    "CREATE INDEX refresh_tokens_of_sign_in ON refresh_tokens (family)",
    "CREATE INDEX usage_of_key ON usage (api_key, at)",
    "ALTER TABLE users ADD COLUMN limits TEXT NOT NULL DEFAULT '{}'",
)


def apply(database: Database) -> None:
    """Makes the tables of sign-ins, and adds limits to users."""
    for statement in _STATEMENTS:
        database.execute(statement)

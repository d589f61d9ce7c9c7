"""What figures over time need: how long an answer took in all, and whether it had been given before."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database

_STATEMENTS = (
    "ALTER TABLE usage ADD COLUMN total_s REAL",
    "ALTER TABLE usage ADD COLUMN from_cache INTEGER NOT NULL DEFAULT 0",
    "UPDATE usage SET from_cache = 1 WHERE backend = 'cache'",
    # What cannot be read is passed over: an odd note must keep nobody out of the vault.
    """CREATE TEMP VIEW told AS SELECT audit.at, kind, backend, model, asked, outcome, CAST(details AS TEXT) AS said
        FROM main.audit AS audit WHERE json_valid(CAST(details AS TEXT))""",
    # The note of an answer in the chat or on the command line was made at the very moment that its row names.
    """UPDATE usage SET total_s = (
            SELECT json_extract(said, '$.total_s') FROM told WHERE told.at = usage.at AND told.model = usage.model
        ) WHERE api_key IS NULL""",
    # Two kinds of requests had a note and no row: answers that were given again there, and failures before any answer.
    """INSERT INTO usage (at, model, backend, prompt_tokens, completion_tokens, cached_tokens, first_token_s, cost,
            outcome, total_s, from_cache)
        SELECT at, model, backend,
            coalesce(json_extract(said, '$.prompt_tokens'), 0), coalesce(json_extract(said, '$.completion_tokens'), 0),
            coalesce(json_extract(said, '$.cached_tokens'), 0), json_extract(said, '$.first_token_s'), 0.0, outcome,
            json_extract(said, '$.total_s'), 1
        FROM told WHERE kind = 'chat' AND model != '' AND json_extract(said, '$.from_cache')
            AND json_extract(said, '$.face') IN ('tui', 'cli')""",
    """INSERT INTO usage (at, model, backend, prompt_tokens, completion_tokens, outcome, total_s)
        SELECT at, asked, '', 0, 0, outcome, json_extract(said, '$.total_s')
        FROM told WHERE kind IN ('chat', 'raw') AND outcome = 'failed' AND model = '' AND asked != ''
            AND coalesce(json_extract(said, '$.error'), '') != 'unknown_model'""",
    "DROP VIEW told",
)


def apply(database: Database) -> None:
    """Adds two columns to usage, and what the notes of requests know of them."""
    for statement in _STATEMENTS:
        database.execute(statement)

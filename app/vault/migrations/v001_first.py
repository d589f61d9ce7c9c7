"""The first schema: everything that the product keeps. Times are seconds since 1970, ids are text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database

_STATEMENTS = (
    "CREATE TABLE migrations (name TEXT PRIMARY KEY, applied_at REAL NOT NULL)",
    # What the program itself wants to find again: the session that was open, drafts, when the last backup was made.
    "CREATE TABLE state (name TEXT PRIMARY KEY, value BLOB NOT NULL)",
    # Conversations
    """CREATE TABLE sessions (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        title TEXT NOT NULL DEFAULT '',
        titled_by TEXT NOT NULL DEFAULT 'nobody',
        created_at REAL NOT NULL,
        updated_at REAL NOT NULL,
        pinned INTEGER NOT NULL DEFAULT 0,
        archived INTEGER NOT NULL DEFAULT 0,
        deleted_at REAL,
        system TEXT NOT NULL DEFAULT '',
        sampling TEXT NOT NULL DEFAULT '{}',
        model TEXT NOT NULL DEFAULT '',
        head_id TEXT,
        remembers INTEGER NOT NULL DEFAULT 1,
        messages INTEGER NOT NULL DEFAULT 0
    )""",
    # With all that a list sorts and leaves out by, so that lines before the one wanted are never read themselves.
    """CREATE INDEX sessions_in_order ON sessions (archived, pinned DESC, updated_at DESC, number DESC)
        WHERE deleted_at IS NULL""",
    """CREATE TABLE session_tags (
        session INTEGER NOT NULL REFERENCES sessions (number) ON DELETE CASCADE,
        tag TEXT NOT NULL,
        PRIMARY KEY (session, tag)
    ) WITHOUT ROWID""",
    "CREATE INDEX session_tags_by_tag ON session_tags (tag)",
    # ``parts`` is set where a message is more than one text; ``text`` is always there, for search.
    """CREATE TABLE messages (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        session INTEGER NOT NULL REFERENCES sessions (number) ON DELETE CASCADE,
        parent_id TEXT,
        role TEXT NOT NULL,
        text TEXT NOT NULL,
        parts BLOB,
        created_at REAL NOT NULL,
        status TEXT NOT NULL,
        model TEXT NOT NULL DEFAULT '',
        details BLOB
    )""",
    "CREATE INDEX messages_of_session ON messages (session, number)",
    "CREATE INDEX messages_streaming ON messages (number) WHERE status = 'streaming'",
    # Beginnings of words have indexes of their own: without one FTS5 gathers every match before it gives the newest.
    """CREATE VIRTUAL TABLE messages_fts USING fts5 (
        text, content='messages', content_rowid='number', prefix='2 3 4 5 6', columnsize=0,
        tokenize='unicode61 remove_diacritics 2'
    )""",
    # Half as much of the index is rewritten with each message as by default; a search has some more pieces to look at.
    "INSERT INTO messages_fts (messages_fts, rank) VALUES ('automerge', 8)",
    # An answer is indexed when it has ended, not at each of its checkpoints.
    """CREATE TRIGGER messages_added AFTER INSERT ON messages WHEN new.status != 'streaming' BEGIN
        INSERT INTO messages_fts (rowid, text) VALUES (new.number, new.text);
    END""",
    """CREATE TRIGGER messages_removed AFTER DELETE ON messages WHEN old.status != 'streaming' BEGIN
        INSERT INTO messages_fts (messages_fts, rowid, text) VALUES ('delete', old.number, old.text);
    END""",
    # One trigger for both: the order of two is nowhere promised, and the old words must go before the new ones come.
    """CREATE TRIGGER messages_changed AFTER UPDATE OF text, status ON messages
        WHEN old.text IS NOT new.text OR (old.status = 'streaming') != (new.status = 'streaming') BEGIN
        INSERT INTO messages_fts (messages_fts, rowid, text)
            SELECT 'delete', old.number, old.text WHERE old.status != 'streaming';
        INSERT INTO messages_fts (rowid, text) SELECT new.number, new.text WHERE new.status != 'streaming';
    END""",
    """CREATE VIRTUAL TABLE titles_fts USING fts5 (
        title, content='sessions', content_rowid='number', prefix='2 3', tokenize='unicode61 remove_diacritics 2'
    )""",
    """CREATE TRIGGER titles_added AFTER INSERT ON sessions BEGIN
        INSERT INTO titles_fts (rowid, title) VALUES (new.number, new.title);
    END""",
    """CREATE TRIGGER titles_removed AFTER DELETE ON sessions BEGIN
        INSERT INTO titles_fts (titles_fts, rowid, title) VALUES ('delete', old.number, old.title);
    END""",
    """CREATE TRIGGER titles_changed AFTER UPDATE OF title ON sessions BEGIN
        INSERT INTO titles_fts (titles_fts, rowid, title) VALUES ('delete', old.number, old.title);
        INSERT INTO titles_fts (rowid, title) VALUES (new.number, new.title);
    END""",
    # Writing
    """CREATE TABLE posts (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        title TEXT NOT NULL DEFAULT '',
        slug TEXT NOT NULL DEFAULT '',
        status TEXT NOT NULL DEFAULT 'draft',
        date REAL,
        tags TEXT NOT NULL DEFAULT '[]',
        body TEXT NOT NULL DEFAULT '',
        created_at REAL NOT NULL,
        updated_at REAL NOT NULL,
        deleted_at REAL
    )""",
    """CREATE TABLE post_revisions (
        number INTEGER PRIMARY KEY,
        post INTEGER NOT NULL REFERENCES posts (number) ON DELETE CASCADE,
        created_at REAL NOT NULL,
        reason TEXT NOT NULL DEFAULT '',
        title TEXT NOT NULL,
        body TEXT NOT NULL
    )""",
    "CREATE INDEX revisions_of_post ON post_revisions (post, number)",
    # Memory: a vector is float32 [dimensions], of a message or of a post.
    """CREATE TABLE vectors (
        number INTEGER PRIMARY KEY,
        model TEXT NOT NULL,
        source TEXT NOT NULL,
        source_id TEXT NOT NULL,
        piece INTEGER NOT NULL DEFAULT 0,
        text_sha256 BLOB NOT NULL,
        vector BLOB NOT NULL,
        created_at REAL NOT NULL,
        UNIQUE (model, source, source_id, piece)
    )""",
    "CREATE TABLE forgotten (source TEXT NOT NULL, source_id TEXT NOT NULL, PRIMARY KEY (source, source_id))",
    # What models cost
    """CREATE TABLE usage (
        number INTEGER PRIMARY KEY,
        at REAL NOT NULL,
        model TEXT NOT NULL,
        backend TEXT NOT NULL,
        api_key TEXT,
        prompt_tokens INTEGER NOT NULL,
        completion_tokens INTEGER NOT NULL,
        cached_tokens INTEGER NOT NULL DEFAULT 0,
        first_token_s REAL,
        decode_s REAL,
        cost REAL,
        outcome TEXT NOT NULL
    )""",
    "CREATE INDEX usage_by_time ON usage (at)",
    """CREATE TABLE answers_cached (
        fingerprint BLOB PRIMARY KEY,
        answer BLOB NOT NULL,
        model TEXT NOT NULL,
        created_at REAL NOT NULL,
        expires_at REAL NOT NULL,
        used_at REAL NOT NULL,
        bytes INTEGER NOT NULL
    ) WITHOUT ROWID""",
    """CREATE TABLE audit (
        number INTEGER PRIMARY KEY,
        at REAL NOT NULL,
        kind TEXT NOT NULL,
        backend TEXT NOT NULL DEFAULT '',
        model TEXT NOT NULL DEFAULT '',
        details BLOB NOT NULL
    )""",
    "CREATE INDEX audit_by_time ON audit (at)",
    # Who may ask
    """CREATE TABLE api_keys (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL,
        sha256 BLOB NOT NULL UNIQUE,
        scopes TEXT NOT NULL,
        created_at REAL NOT NULL,
        expires_at REAL,
        revoked_at REAL,
        last_used_at REAL,
        limits TEXT NOT NULL DEFAULT '{}'
    )""",
    """CREATE TABLE users (
        number INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        password TEXT NOT NULL,
        role TEXT NOT NULL,
        created_at REAL NOT NULL,
        disabled_at REAL
    )""",
    """CREATE TABLE secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL, updated_at REAL NOT NULL)""",
    # What a person keeps at hand
    """CREATE TABLE prompts (
        number INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL,
        text TEXT NOT NULL,
        updated_at REAL NOT NULL
    )""",
    """CREATE TABLE benchmarks (
        number INTEGER PRIMARY KEY,
        at REAL NOT NULL,
        model TEXT NOT NULL,
        figures TEXT NOT NULL
    )""",
)


def apply(database: Database) -> None:
    """Makes every table."""
    for statement in _STATEMENTS:
        database.execute(statement)

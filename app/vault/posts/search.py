"""Posts found by their words (FTS5): what a person typed as a query, and what is read of each hit."""

from __future__ import annotations

import re

from app.vault.excerpts import CLOSE, OPEN

_EXCERPT_TOKENS = 20
_BODY = 2
"""The third column of the index: an excerpt is of the text; title and tags are shown anyway."""

_WORD = re.compile(r"\w+")

EXCERPT = f"snippet(posts_fts, {_BODY}, '{OPEN}', '{CLOSE}', '…', {_EXCERPT_TOKENS})"
MATCHING = "number IN (SELECT rowid FROM posts_fts WHERE posts_fts MATCH ?)"


def post_query(words: str) -> str:
    """A query for posts that have every word, be it only begun; empty where ``words`` holds none.

    Each is quoted, so that none of FTS5's operators can be meant.
    """
    return " ".join(f'"{word}"*' for word in _WORD.findall(words))

"""Rows of the posts' table as the values that they are."""

from __future__ import annotations

from typing import Any

import msgspec

from app.vault.excerpts import without_marks

from .records import Post, PostHit, PostLine

COLUMNS = "id, title, slug, status, date, tags, body, created_at, updated_at, deleted_at"
"""What ``post_of`` takes."""

LINE_COLUMNS = "id, title, status, updated_at, date, tags, length(body), deleted_at IS NOT NULL"
"""What ``line_of`` takes."""


def post_of(row: tuple[Any, ...]) -> Post:
    """A whole post."""
    return Post(
        id=row[0],
        title=row[1],
        slug=row[2],
        status=row[3],
        date=row[4],
        tags=msgspec.json.decode(row[5], type=tuple[str, ...]),
        body=row[6],
        created_at=row[7],
        updated_at=row[8],
        deleted_at=row[9],
    )


def line_of(row: tuple[Any, ...]) -> PostLine:
    """A line of the list."""
    return PostLine(
        id=row[0],
        title=row[1],
        status=row[2],
        updated_at=row[3],
        date=row[4],
        tags=msgspec.json.decode(row[5], type=tuple[str, ...]),
        characters=row[6],
        deleted=bool(row[7]),
    )


def hit_of(row: tuple[Any, ...]) -> PostHit:
    """A hit: an excerpt as FTS5 marked it, then a line."""
    excerpt, marks = without_marks(row[0])
    return PostHit(line=line_of(row[1:]), excerpt=excerpt if marks else "", marks=marks)

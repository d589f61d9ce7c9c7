"""The block at the head of a Markdown file that says what the post is: YAML between ``---``, or TOML between ``+++``.

Jekyll and Hugo read both of what we write; what they and others write is read here, and what we do not know is kept.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from app.chat.markdown_head import one_line, read_head, words_of, written_head
from app.errors import ImportFormatError
from app.vault.posts.records import Post, PostStatus

_OURS = ("title", "slug", "date", "tags", "draft")


class FrontMatter(Struct, frozen=True, kw_only=True):
    """What a file's head says of its post.

    Attributes:
        date: seconds since 1970; ``None`` when there is none.
        others: what is not ours, as it was read.
    """

    title: str = ""
    slug: str = ""
    date: float | None = None
    tags: tuple[str, ...] = ()
    status: PostStatus = "draft"
    others: Mapping[str, Any] = {}


def read(text: str) -> tuple[FrontMatter, str]:
    """What a file says of its post, and its body; an empty front matter where there is none.

    Raises:
        ImportFormatError: when there is a block that is neither YAML nor TOML, or one whose fields make no sense.
    """
    fields, body = read_head(text)
    return _front_matter(fields), body


def written(post: Post, *, others: Mapping[str, Any] | None = None) -> str:
    """A whole file: front matter in YAML, an empty line, the body, one line end.

    Args:
        post: what is written.
        others: further fields, such as a theme's own; they come after ours.
    """
    fields: dict[str, Any] = {"title": post.title or "Untitled"}
    if post.slug:
        fields["slug"] = post.slug
    if post.date is not None:
        fields["date"] = moment(post.date)
    fields["tags"] = list(post.tags)
    fields["draft"] = post.status == "draft"
    fields |= {name: value for name, value in (others or {}).items() if name not in _OURS}
    return f"{written_head(fields)}\n{post.body.strip(chr(10))}\n"


def moment(seconds: float) -> datetime.datetime:
    """A time as both generators like it: with its zone, to the second."""
    return datetime.datetime.fromtimestamp(int(seconds), datetime.UTC)


def _front_matter(fields: dict[str, Any]) -> FrontMatter:
    draft, published = fields.get("draft"), fields.get("published")
    is_draft = draft if isinstance(draft, bool) else published is False if published is not None else True
    return FrontMatter(
        title=one_line(fields.get("title")),
        slug=one_line(fields.get("slug")),
        date=_seconds(fields.get("date")),
        tags=words_of(fields.get("tags")),
        status="draft" if is_draft else "published",
        others={name: value for name, value in fields.items() if name not in _OURS},
    )


def _seconds(value: object) -> float | None:
    if isinstance(value, str):
        value = _moment(value.strip())
    if isinstance(value, datetime.datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=datetime.UTC)
    elif isinstance(value, datetime.date):
        aware = datetime.datetime(value.year, value.month, value.day, tzinfo=datetime.UTC)
    else:
        return None
    try:
        return aware.timestamp()
    except (ValueError, OverflowError):
        return None


def _moment(text: str) -> datetime.datetime:
    try:
        return datetime.datetime.fromisoformat(re.sub(r" ([+-]\d{2}:?\d{2})$", r"\1", text))
    except ValueError as error:
        raise ImportFormatError(
            f"The front matter's date is {text[:40]!r}; expected one like 2026-11-21 or 2026-11-21 09:30:00 +0100."
        ) from error


def taken_in(text: str, post: Post) -> Post:
    """``post`` with a file's content in place of its own; fields that the file does not name stay.

    Raises:
        ImportFormatError: as ``read``.
    """
    head, body = read(text)
    return msgspec.structs.replace(
        post,
        title=head.title or post.title,
        slug=head.slug or post.slug,
        date=head.date if head.date is not None else post.date,
        tags=head.tags or post.tags,
        status=head.status,
        body=body,
    )

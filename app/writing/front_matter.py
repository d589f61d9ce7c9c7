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

from app.errors import ImportFormatError
from app.vault.post_records import Post, PostStatus

_BLOCK = re.compile(
    r"\A\ufeff?(?P<fence>---|\+\+\+)[ \t]*\r?\n(?P<inside>.*?)(?:^(?P=fence)[ \t]*(?:\r?\n|\Z))",
    re.DOTALL | re.MULTILINE,
)
_OURS = ("title", "slug", "date", "tags", "draft")
_MOST_BYTES = 64 * 1024


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
    block = _BLOCK.match(text)
    if block is None:
        return FrontMatter(), text
    fields = _fields(block["inside"], toml=block["fence"] == "+++")
    return _front_matter(fields), text[block.end() :].lstrip("\r\n")


def written(post: Post, *, others: Mapping[str, Any] | None = None) -> str:
    """A whole file: front matter in YAML, an empty line, the body, one line end.

    Args:
        post: what is written.
        others: further fields, such as a theme's own; they come after ours.
    """
    import yaml

    fields: dict[str, Any] = {"title": post.title or "Untitled"}
    if post.slug:
        fields["slug"] = post.slug
    if post.date is not None:
        fields["date"] = moment(post.date)
    fields["tags"] = list(post.tags)
    fields["draft"] = post.status == "draft"
    fields |= {name: value for name, value in (others or {}).items() if name not in _OURS}
    head = yaml.safe_dump(fields, sort_keys=False, allow_unicode=True, width=10_000)
    return f"---\n{head}---\n\n{post.body.strip(chr(10))}\n"


def moment(seconds: float) -> datetime.datetime:
    """A time as both generators like it: with its zone, to the second."""
    return datetime.datetime.fromtimestamp(int(seconds), datetime.UTC)


def _fields(inside: str, *, toml: bool) -> dict[str, Any]:
    if len(inside.encode("utf-8", "replace")) > _MOST_BYTES:
        raise ImportFormatError(f"The front matter has more than {_MOST_BYTES // 1024} KiB.", "Shorten it.")
    try:
        found = _toml(inside) if toml else _yaml(inside)
    except (ValueError, RecursionError) as error:
        kind = "TOML" if toml else "YAML"
        raise ImportFormatError(f"The front matter is not {kind}: {error}.", "Correct the head of the file.") from error
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise ImportFormatError(f"The front matter is a {type(found).__name__}; expected names and values.")
    return {str(name): value for name, value in found.items()}


def _toml(text: str) -> Any:
    import tomllib

    return tomllib.loads(text.replace("\r\n", "\n"))


def _yaml(text: str) -> Any:
    import yaml

    # An alias may stand for a value that is built of aliases, and so on: a kilobyte that unfolds to gigabytes.
    if any(isinstance(token, yaml.AliasToken) for token in _tokens(text)):
        raise ValueError("aliases (*name) are not read")
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from error


def _tokens(text: str) -> list[Any]:
    import yaml

    try:
        return list(yaml.scan(text, Loader=yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from error


def _front_matter(fields: dict[str, Any]) -> FrontMatter:
    draft, published = fields.get("draft"), fields.get("published")
    is_draft = draft if isinstance(draft, bool) else published is False if published is not None else True
    return FrontMatter(
        title=_text(fields.get("title")),
        slug=_text(fields.get("slug")),
        date=_seconds(fields.get("date")),
        tags=_tags(fields.get("tags")),
        status="draft" if is_draft else "published",
        others={name: value for name, value in fields.items() if name not in _OURS},
    )


def _text(value: object) -> str:
    return " ".join(str(value).split()) if isinstance(value, str | int | float) else ""


def _tags(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        # Jekyll: words in one line, by commas or else by spaces.
        value = value.split(",") if "," in value else value.split()
    if not isinstance(value, list):
        return ()
    return tuple(dict.fromkeys(tag for tag in map(_text, value) if tag))


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

"""What the vault keeps of writing, as values: a post, a line of the list, a revision."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

PostStatus = Literal["draft", "published"]


class Post(Struct, frozen=True, kw_only=True):
    """A blog post. Times are seconds since 1970.

    Attributes:
        slug: what its address will end in; empty until one is chosen or made from the title.
        date: when it is, or will be, published; ``None`` while that is open.
        body: Markdown, without front matter.
        deleted_at: when it was put into the bin; ``None`` while it is not there.
    """

    id: str
    title: str = ""
    slug: str = ""
    status: PostStatus = "draft"
    date: float | None = None
    tags: tuple[str, ...] = ()
    body: str = ""
    created_at: float = 0.0
    updated_at: float = 0.0
    deleted_at: float | None = None


class PostLine(Struct, frozen=True, kw_only=True):
    """What a list shows of a post."""

    id: str
    title: str
    status: PostStatus
    updated_at: float
    date: float | None = None
    tags: tuple[str, ...] = ()
    characters: int = 0
    deleted: bool = False


class PostHit(Struct, frozen=True, kw_only=True):
    """A post that has what was searched for.

    Attributes:
        excerpt: some words of its text around the first match; empty where title or tags alone have the words.
        marks: where in ``excerpt`` the matches are, as (start, end) in characters.
    """

    line: PostLine
    excerpt: str = ""
    marks: tuple[tuple[int, int], ...] = ()


class RevisionLine(Struct, frozen=True, kw_only=True):
    """What a list shows of a revision: its number is stable, and higher ones are later.

    Attributes:
        reason: why it was kept: ``opened``, ``assist``, ``restored``, a person's own word.
    """

    number: int
    created_at: float
    reason: str
    title: str
    characters: int


class Revision(Struct, frozen=True, kw_only=True):
    """A post's title and body as they once were."""

    number: int
    created_at: float
    reason: str
    title: str
    body: str

"""What the vault keeps, as values: a session, a whole conversation, a line of the list, a search hit."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from app.messages import Node, Sampling

TitledBy = Literal["nobody", "model", "person"]
"""Who chose a session's title. A person's choice is never replaced."""


class Session(Struct, frozen=True, kw_only=True):
    """A conversation's own particulars, without its messages. Times are seconds since 1970.

    Attributes:
        archived: out of the usual list, but neither deleted nor forgotten.
        deleted_at: when it was put into the bin; ``None`` while it is not there.
        system: instructions that stand before the first message; empty for none.
        model: who answers; empty for the default.
        head_id: the last message of the branch that is shown; ``None`` for an empty conversation.
        remembers: whether memory may learn from it and recall into it.
    """

    id: str
    title: str = ""
    titled_by: TitledBy = "nobody"
    created_at: float = 0.0
    updated_at: float = 0.0
    pinned: bool = False
    archived: bool = False
    deleted_at: float | None = None
    tags: tuple[str, ...] = ()
    system: str = ""
    sampling: Sampling = Sampling()
    model: str = ""
    head_id: str | None = None
    remembers: bool = True


class WholeSession(Struct, frozen=True):
    """A conversation with every message of every branch; a parent comes before its children."""

    session: Session
    nodes: tuple[Node, ...]


class SessionLine(Struct, frozen=True, kw_only=True):
    """What a list shows of a session."""

    id: str
    title: str
    updated_at: float
    pinned: bool = False
    archived: bool = False
    deleted: bool = False
    tags: tuple[str, ...] = ()
    messages: int = 0


class SearchHit(Struct, frozen=True, kw_only=True):
    """A message that holds what was searched for.

    Attributes:
        excerpt: some words around the first match.
        marks: where in ``excerpt`` the matches are, as (start, end) in characters.
    """

    session_id: str
    session_title: str
    node_id: str
    role: str
    created_at: float
    excerpt: str
    marks: tuple[tuple[int, int], ...] = ()

"""One message of a conversation as it is kept: what was said, and how it came to be."""

from __future__ import annotations

from typing import ClassVar, Literal, Protocol

from msgspec import Struct

from .delta import FinishReason, Timings, Usage
from .message import Message

NodeStatus = Literal["streaming", "complete", "cut", "failed"]
"""``cut`` is an answer that the person, or the end of the program, stopped; ``failed`` one that an error ended. Both
keep what had come."""


class Described(Protocol):
    """An error in words that a person reads: what every ``PlaygroundError`` has."""

    code: ClassVar[str]
    title: ClassVar[str]
    message: str
    remedy: str


class Failure(Struct, frozen=True, gc=False):
    """An error that ended an answer, in the words that a person reads."""

    code: str
    title: str
    message: str
    remedy: str = ""

    @classmethod
    def of(cls, error: Described) -> Failure:
        """The same words as ``error``."""
        return cls(error.code, error.title, error.message, error.remedy)


class Way(Struct, frozen=True, gc=False, kw_only=True):
    """How an answer came, where that is worth telling.

    Attributes:
        backend: what gave it: ``local``, or an endpoint's name.
        instead_of: the model that was asked and could not answer; empty when the one that was asked did.
        reason: why it could not, as a sentence.
        from_cache: it was given before, and is given again.
        cost: US dollars; ``None`` where it is not known.
    """

    backend: str = ""
    instead_of: str = ""
    reason: str = ""
    from_cache: bool = False
    cost: float | None = None


class Quoted(Struct, frozen=True, gc=False):
    """A passage that memory recalled for an answer. What it says stays where it was said, and is not kept twice.

    Attributes:
        source: ``message`` or ``post``.
        source_id: which one.
        why: how it was found.
        digest: the beginning of the SHA-256 of the passage, to know it by.
    """

    source: Literal["message", "post"]
    source_id: str
    why: str
    digest: bytes


class Node(Struct, frozen=True, gc=False, kw_only=True):
    """One message of a conversation, and how it came to be. Nodes form a tree: versions of a message share a parent.

    Attributes:
        id: stable and unique.
        parent_id: the message before it; ``None`` for the first one.
        created_at: seconds since 1970; 0 when it is not known.
        model: who answered; empty for what the person wrote.
        finish: why the model ended by itself; ``None`` when it did not.
        first_token: seconds from sending until the first piece of the answer; ``None`` before there is one.
        quoted: what memory recalled for it.
    """

    id: str
    parent_id: str | None
    message: Message
    created_at: float = 0.0
    status: NodeStatus = "complete"
    model: str = ""
    finish: FinishReason | None = None
    usage: Usage | None = None
    timings: Timings | None = None
    first_token: float | None = None
    error: Failure | None = None
    way: Way | None = None
    quoted: tuple[Quoted, ...] = ()

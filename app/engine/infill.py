"""Code with a gap, for models that were taught to fill it."""

from __future__ import annotations

from msgspec import Struct


class Snippet(Struct, frozen=True):
    """A piece of another file, for the model to know of."""

    text: str
    filename: str = "tmp"


class Gap(Struct, frozen=True, kw_only=True):
    """Code before and after the place where more is wanted.

    Attributes:
        prompt: how what is missing begins.
        extra: pieces of other files.
        max_tokens: tokens that are wanted; 0 is as many as there is room for.
    """

    prefix: str
    suffix: str
    prompt: str = ""
    extra: tuple[Snippet, ...] = ()
    max_tokens: int = 0

"""What the vault keeps of a person's library, as values: a prompt or persona, and a line of the list."""

from __future__ import annotations

import unicodedata
from typing import Literal

from msgspec import Struct

from app.messages import Sampling

PromptKind = Literal["prompt", "persona"]
"""What is asked, or who answers: a persona is instructions for a whole conversation."""


class Prompt(Struct, frozen=True, kw_only=True):
    """A text that is used again. Times are seconds since 1970.

    Attributes:
        name: what it is called by, a slug.
        text: Markdown with variables, ``{{name}}`` or ``{{name:default}}``.
        model: who answers it; empty for whoever does already.
        sampling: how; what was not chosen stays as it is.
        deleted_at: when it was put into the bin, or another took its place; ``None`` while it is in use.
    """

    name: str
    kind: PromptKind = "prompt"
    title: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    text: str = ""
    model: str = ""
    sampling: Sampling = Sampling()
    updated_at: float = 0.0
    deleted_at: float | None = None

    @property
    def called(self) -> str:
        """The title, or the name where there is none."""
        return self.title or self.name

    def same_content(self, other: Prompt) -> bool:
        """Whether the two differ in nothing that a person wrote."""
        return _content(self) == _content(other)


class PromptLine(Struct, frozen=True, kw_only=True):
    """What a list shows of a prompt.

    Attributes:
        description: the prompt's own, or else how its text begins.
        own: whether it is the person's, not one that comes with the program.
    """

    name: str
    kind: PromptKind = "prompt"
    title: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    model: str = ""
    updated_at: float = 0.0
    own: bool = True


_MOST_DESCRIBED = 160


def line_of(prompt: Prompt, *, own: bool = True) -> PromptLine:
    """The prompt's line in a list."""
    return PromptLine(
        name=prompt.name,
        kind=prompt.kind,
        title=prompt.title,
        description=prompt.description or _beginning(prompt.text),
        tags=prompt.tags,
        model=prompt.model,
        updated_at=prompt.updated_at,
        own=own,
    )


def has_words(prompt: Prompt, words: str) -> bool:
    """Whether every word stands somewhere in the prompt, be it within another; accents and case do not count."""
    sought = _plain(words).split()
    if not sought:
        return True
    whole = _plain(" ".join((prompt.name, prompt.title, prompt.description, *prompt.tags, prompt.kind, prompt.text)))
    return all(word in whole for word in sought)


def _plain(text: str) -> str:
    if text.isascii():
        return text.casefold()
    split = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in split if not unicodedata.combining(character))


def _beginning(text: str) -> str:
    """The first line that is a sentence, not a heading."""
    lines = (line.strip() for line in text[:4096].splitlines())
    first = next((line for line in lines if line and line[0] not in "#-=*>|`~"), "")
    return first if len(first) <= _MOST_DESCRIBED else f"{first[: _MOST_DESCRIBED - 1].rstrip()}…"


def _content(prompt: Prompt) -> tuple[object, ...]:
    return (prompt.kind, prompt.title, prompt.description, prompt.tags, prompt.text, prompt.model, prompt.sampling)

"""Which prompts a few letters mean, the likeliest first."""

from __future__ import annotations

from collections.abc import Sequence

from app.chat.attaching.fuzzy import score
from app.vault.prompts.records import PromptLine

_SAID_ELSEWHERE = -1.0
"""What is worth that the words stand in the description or the tags: less than any letters of the name."""


def ranked(lines: Sequence[PromptLine], words: str) -> tuple[PromptLine, ...]:
    """The lines whose name or title holds the letters of ``words`` in their order, then those that speak of them."""
    sought = " ".join(words.lower().split())
    if not sought:
        return tuple(lines)
    found = [(value, line) for line in lines if (value := _value(line, sought)) is not None]
    return tuple(line for _, line in sorted(found, key=lambda one: -one[0]))


def _value(line: PromptLine, sought: str) -> float | None:
    named = score(sought, f"{line.title}/{line.name}".lower())
    if named is not None:
        return max(named, 0.0)
    about = f"{line.description} {' '.join(line.tags)}".lower()
    return _SAID_ELSEWHERE if all(word in about for word in sought.split()) else None

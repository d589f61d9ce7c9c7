"""Titles, as they are shown."""

from __future__ import annotations

from app.privacy.terminal import clean
from app.tui import words

_SHORT = 40


def title_words(title: str) -> tuple[str, str]:
    """A title for a line, and its colour; what has none yet says so."""
    plain = " ".join(clean(title).split())
    return (plain, "$foreground") if plain else ("untitled", "$text-muted")


def short_title(title: str) -> str:
    """A title for a sentence."""
    return words.cut(title_words(title)[0], _SHORT)

"""Lines that dialogs share: what the keys do, and words of which one is chosen."""

from __future__ import annotations

from collections.abc import Iterable

from textual.content import Content
from textual.widgets import Static


def key_words(*keys: tuple[str, str]) -> Content:
    """Keys and what each of them does: ``⏎ write    esc leave``."""
    pieces: list[tuple[str, str]] = []
    for key, does in keys:
        pieces += [("    " if pieces else "", ""), (key, "bold $primary"), (f" {does}", "")]
    return Content.assemble(*pieces)


def key_line(*keys: tuple[str, str]) -> Static:
    """The lowest line of a dialog."""
    return Static(key_words(*keys), classes="hint")


def choice_words(names: Iterable[str], chosen: str, gap: str = "  ") -> Content:
    """The names beside one another, the chosen one on a bar."""
    pieces: list[tuple[str, str]] = []
    for name in names:
        pieces += [(f" {name} ", "bold $on-colour on $primary" if name == chosen else "$text-muted"), (gap, "")]
    return Content.assemble(*pieces)

"""Pieces of a text around what was searched for."""

from __future__ import annotations

from collections.abc import Iterable

from app.privacy.terminal import clean

Pieces = list[tuple[str, str]]
"""Words and their style."""


def marked_pieces(text: str, marks: Iterable[tuple[int, int]], start: int = 0) -> Pieces:
    """``text`` from ``start`` on, in one line, with its matches in colour.

    It is cleaned between the marks, which count uncleaned characters.
    """
    pieces: Pieces = []
    done = start
    for begin, end in marks:
        pieces += [(one_line(text[done:begin]), "$text-muted"), (one_line(text[begin:end]), "bold underline $accent")]
        done = end
    return [*pieces, (one_line(text[done:]), "$text-muted")]


def one_line(text: str) -> str:
    """A text as it can stand in a line."""
    return clean(text).replace("\n", " ").replace("\t", " ")

"""Long texts in pieces that an embedding model reads whole, and that fit a prompt."""

from __future__ import annotations

import re

LONGEST = 800
"""Characters of a piece: about 200 tokens of English, of the 256 that MiniLM reads."""

MOST = 64
"""Pieces of one text; what comes behind them is found by its words alone."""

_BORDER = re.compile(r"\n\s*\n|\n|(?<=[.!?…。！？])\s+|\s+")


def pieces_of(text: str) -> tuple[str, ...]:
    """``text`` cut at paragraphs, else lines, else sentences, else words. The same text gives the same pieces."""
    text = text.strip()
    found: list[str] = []
    start = 0
    while start < len(text) and len(found) < MOST:
        end = _end(text, start)
        piece = text[start:end].strip()
        if piece:
            found.append(piece)
        start = end
    return tuple(found)


def _end(text: str, start: int) -> int:
    if len(text) - start <= LONGEST:
        return len(text)
    least = start + LONGEST // 2
    best, best_rank = start + LONGEST, 4
    for border in _BORDER.finditer(text, least, start + LONGEST):
        rank = _rank(border.group(), text[border.start() - 1])
        if rank <= best_rank:
            best, best_rank = border.end(), rank
    return best


def _rank(border: str, before: str) -> int:
    if border.count("\n") > 1:
        return 0
    if "\n" in border:
        return 1
    return 2 if before in ".!?…。！？" else 3

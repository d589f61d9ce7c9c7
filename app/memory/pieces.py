"""Long texts in pieces that an embedding model reads whole, and that fit a prompt."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

LONGEST = 800
"""Characters of a piece: about 200 tokens of English, of the 256 that MiniLM reads."""

MOST = 64
"""Pieces of one text; what comes behind them is found by its words alone."""

_BORDER = re.compile(r"\n\s*\n|\n|(?<=[.!?…。！？])\s+|\s+")


def pieces_of(text: str) -> tuple[str, ...]:
    """``text`` cut at paragraphs, else lines, else sentences, else words. The same text gives the same pieces."""
    return tuple(islice(_pieces(text.strip()), MOST))


def first_piece_of(text: str) -> str:
    """The first of them; of a text that is blank, nothing."""
    return next(_pieces(text.strip()), "")


def _pieces(text: str) -> Iterator[str]:
    start = 0
    while start < len(text):
        end = _end(text, start)
        piece = text[start:end].strip()
        if piece:
            yield piece
        start = end


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

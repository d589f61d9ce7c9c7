"""What FTS5 shows of a text around the words that it found: marks that it sets, and taking them out again."""

from __future__ import annotations

import re

OPEN, CLOSE = "\x02", "\x03"
"""What ``snippet()`` is told to put around each match."""


def without_marks(marked: str) -> tuple[str, tuple[tuple[int, int], ...]]:
    """The excerpt on one line, and where its matches are. Marks that the text itself holds are dropped with ours."""
    pieces: list[str] = []
    marks: list[tuple[int, int]] = []
    length, opened = 0, None
    for piece in re.split(f"([{OPEN}{CLOSE}])", marked):
        if piece == OPEN:
            opened = length
        elif piece == CLOSE:
            if opened is not None and opened < length:
                marks.append((opened, length))
            opened = None
        else:
            piece = " ".join(piece.splitlines()) if "\n" in piece else piece
            pieces.append(piece)
            length += len(piece)
    return "".join(pieces), tuple(marks)

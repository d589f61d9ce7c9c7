"""Aligned plain text for lists, and the figures in them."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import datetime

_INVISIBLE = frozenset({"Mn", "Me", "Cf"})


def table(head: Sequence[str], rows: Sequence[Sequence[str]], right: frozenset[int] = frozenset()) -> str:
    """Columns two spaces apart, each as wide as its widest cell; those in ``right`` are aligned to the right."""
    lines = [list(head), *map(list, rows)]
    widths = [max(cells(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "  ".join(
            _padded(cell, width, to_the_right=column in right)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def cells(text: str) -> int:
    """How many columns of a terminal ``text`` takes: two for wide characters, none for marks that join others."""
    if text.isascii():
        return len(text)
    return sum(
        0
        if unicodedata.category(character) in _INVISIBLE
        else 2
        if unicodedata.east_asian_width(character) in "WF"
        else 1
        for character in text
    )


def shortened(text: str, width: int) -> str:
    """``text`` on one line, cut with an ellipsis where it is wider than ``width`` columns."""
    text = " ".join(text.split())
    if cells(text) <= width:
        return text
    kept, taken = [], 1
    for character in text:
        taken += cells(character)
        if taken > width:
            break
        kept.append(character)
    return "".join(kept) + "…"


def moment(seconds: float) -> str:
    """A time of day here, to the minute; ``-`` when it is not known."""
    try:
        return f"{datetime.fromtimestamp(seconds):%Y-%m-%d %H:%M}" if seconds > 0 else "-"
    except (ValueError, OverflowError, OSError):
        return "-"


def seconds(value: float | None) -> str:
    """``240 ms``, ``2.4 s``; ``-`` when it is not known."""
    return "-" if value is None else f"{value * 1000:.0f} ms" if value < 1 else f"{value:.1f} s"


def dollars(value: float | None) -> str:
    """``$12.40``, ``$0.00125``; ``-`` when it is not known."""
    return "-" if value is None else f"${value:.2f}" if value >= 1 or not value else f"${value:.5f}"


def counted(number: int, one: str, many: str = "") -> str:
    """``1 message``, ``2 messages``."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def _padded(cell: str, width: int, *, to_the_right: bool) -> str:
    space = " " * (width - cells(cell))
    return space + cell if to_the_right else cell + space

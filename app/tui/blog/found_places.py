"""Where in the lines of a text the places are that a search found."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.writing.finding import Match


def places_by_line(lines: Sequence[str], found: Iterable[Match]) -> dict[int, list[tuple[int, int]]]:
    """The columns, from and to, of each match in each line that it touches; lines end in one character each."""
    starts = [0, *accumulate(len(line) + 1 for line in lines)]
    places: dict[int, list[tuple[int, int]]] = {}
    for match in found:
        row = bisect_right(starts, match.start) - 1
        while row < len(lines) and starts[row] < match.end:
            start, end = max(0, match.start - starts[row]), min(len(lines[row]), match.end - starts[row])
            if end > start:
                places.setdefault(row, []).append((start, end))
            row += 1
    return places

"""Bars in the cells of a terminal, each an eighth of a cell exact, of parts that stand on each other."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from msgspec import Struct

EIGHTHS = 8
_BLOCKS = " ▁▂▃▄▅▆▇█"


class Part(Struct, frozen=True):
    """A part of a bar: its height in the measure's unit, and its colour."""

    height: float
    colour: str


class Cell(Struct, frozen=True):
    """One cell: what stands in it, its colour, and the colour behind; empty colours are the ground's."""

    glyph: str
    colour: str = ""
    behind: str = ""


EMPTY = Cell(" ")


def top_of(highest: float) -> float:
    """A round figure, not below ``highest``: where the axis ends."""
    if highest <= 0 or not math.isfinite(highest):
        return 1.0
    magnitude = 10.0 ** math.floor(math.log10(highest))
    for step in (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0):
        if highest <= step * magnitude * (1 + 1e-9):
            return step * magnitude
    return 10.0 * magnitude


def column(parts: Sequence[Part], top: float, rows: int) -> list[Cell]:
    """A bar, one cell wide, lowest cell first. What is above 0 is seen, however little it is."""
    edges: list[tuple[int, str]] = []
    reached, drawn = 0.0, 0
    for part in parts:
        if part.height > 0:
            reached += part.height
            edge = min(rows * EIGHTHS, max(1, round(reached / top * rows * EIGHTHS)))
            if edge > drawn:
                edges.append((edge, part.colour))
                drawn = edge
    return [_cell(edges, row * EIGHTHS) for row in range(rows)]


def _cell(edges: Sequence[tuple[int, str]], floor: int) -> Cell:
    pieces: list[tuple[int, str]] = []
    below = floor
    for edge, colour in edges:
        reach = min(edge, floor + EIGHTHS)
        if reach > below:
            pieces.append((reach - below, colour))
            below = reach
    if below < floor + EIGHTHS:
        pieces.append((floor + EIGHTHS - below, ""))
    while len(pieces) > 2:
        # A cell has two colours: the thinnest part gives its place to the one below it, or above. The end stays.
        least = min((place for place, (_, colour) in enumerate(pieces) if colour), key=lambda place: pieces[place][0])
        size, _ = pieces.pop(least)
        heir = max(0, least - 1)
        pieces[heir] = (pieces[heir][0] + size, pieces[heir][1])
    size, colour = pieces[0]
    if not colour:
        return EMPTY
    return Cell(_BLOCKS[size], colour, pieces[1][1] if len(pieces) > 1 else "")


def layout(count: int, width: int) -> tuple[int, int]:
    """How wide a bar is and how far the next one begins from it, in cells; both at least 1.

    Raises:
        ValueError: when there is no room for a cell each.
    """
    step = width // count
    if step < 1:
        raise ValueError(f"{count} bars need {count} cells; there are {width}")
    return (step if step < 2 else step - 1 if step < 6 else step - step // 4), step


def labels(texts: Sequence[str], step: int, width: int) -> str:
    """A line of words below the bars, each where its bar begins; those are left out that would touch another."""
    line = ""
    for place, text in enumerate(texts):
        at = place * step
        if text and (not line or at >= len(line) + 2) and at + len(text) <= width:
            line = line.ljust(at) + text
    return line.ljust(width)


def marks(top: float, rows: int, scale: Callable[[float], str]) -> dict[int, str]:
    """What stands beside the rows, lowest 0: the axis' end, and its middle where there is room."""
    found = {rows - 1: scale(top)}
    if rows >= 4 and rows % 2 == 0:
        found[rows // 2 - 1] = scale(top / 2)
    return {row: words for row, words in found.items() if words}

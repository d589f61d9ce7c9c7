"""What a line of Markdown is, told from its beginning: enough to know running text from everything else."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

_ORDERED = re.compile(r"\d{1,9}[.)](?:[ \t]|$)")
_ORDERED_BEGUN = re.compile(r"\d{1,9}[.)]?$")

_NEVER_PROSE = ">|<[:•–—$\\+-="
"""What a quote, table, HTML block, definition, formula, list, rule or underline begins with."""


class LineKind(enum.Enum):
    """Kinds of lines. The lines after a ``STICKY`` one belong to it until a blank one; ``VERBATIM`` stands alone."""

    BLANK = enum.auto()
    FENCE = enum.auto()
    STICKY = enum.auto()
    VERBATIM = enum.auto()
    PROSE = enum.auto()


@dataclass(frozen=True)
class Fence:
    """The line that opened a code block: its character and how many of them."""

    mark: str
    length: int


def kind_of(line: str, *, complete: bool, sticky: bool) -> LineKind | None:
    """The kind of a line from as much of it as there is; ``None`` when that is too little to tell.

    ``sticky`` says that the line before was a list, quote or table, or belonged to one.
    """
    text = line.lstrip(" \t")
    if not text:
        return LineKind.BLANK if complete else None
    first = text[0]
    if first in "`~":
        run = len(text) - len(text.lstrip(first))
        if not complete and (run >= 3 or run == len(text)):
            return None
        if run >= 3 and not (first == "`" and "`" in text[run:]):
            return LineKind.FENCE
    if sticky or len(text) < len(line) or first in _NEVER_PROSE:
        return LineKind.STICKY
    if first == "#":
        return LineKind.VERBATIM
    if first == "*":
        if len(text) == 1:
            return LineKind.STICKY if complete else None
        return LineKind.STICKY if text[1] in " \t" else LineKind.PROSE
    if first.isdecimal():
        if not complete and _ORDERED_BEGUN.match(text):
            return None
        return LineKind.STICKY if _ORDERED.match(text) else LineKind.PROSE
    return LineKind.PROSE


def opened_by(line: str) -> Fence:
    """The code block that a line of kind ``FENCE`` opens."""
    text = line.lstrip(" \t")
    return Fence(text[0], len(text) - len(text.lstrip(text[0])))


def closes(fence: Fence, line: str, *, complete: bool) -> bool | None:
    """Whether a line inside a code block ends it; ``None`` when there is too little of the line to tell."""
    text = line.strip(" \t")
    rest = text.lstrip(fence.mark)
    if rest.strip(" \t"):
        return False
    if not complete:
        return None
    return len(text) - len(rest) >= fence.length and not rest

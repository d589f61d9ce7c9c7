"""What a proposal would change, piece by piece, so that each piece can be taken or left.

A piece (hunk) is a run of changed lines, with the words inside it compared too. The comparison is Python's own
``difflib`` (Ratcliff and Obershelp), first over lines, then over words of the lines that changed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from difflib import SequenceMatcher
from typing import Literal

from msgspec import Struct

MOST_WORDS = 4000
"""Words of a hunk that are compared with each other; of a longer one the whole is shown as changed."""

_WORDS = re.compile(r"\s+|\w+|[^\w\s]")


class Run(Struct, frozen=True):
    """A stretch of one side of a hunk: the same as on the other side, or changed."""

    text: str
    changed: bool


class Hunk(Struct, frozen=True):
    """One change.

    Attributes:
        number: its place among the changes, from 0.
        start: the first line of the old text that it replaces, from 0; where it adds only, the line it stands before.
        end: one after the last such line.
        old: the lines it takes away, with their ends.
        new: the lines it puts there.
    """

    number: int
    start: int
    end: int
    old: tuple[str, ...]
    new: tuple[str, ...]

    @property
    def kind(self) -> Literal["added", "removed", "changed"]:
        """What it does."""
        if not self.old:
            return "added"
        return "changed" if self.new else "removed"

    def words(self) -> tuple[tuple[Run, ...], tuple[Run, ...]]:
        """The old and the new side, with the words marked that differ."""
        before, after = _WORDS.findall("".join(self.old)), _WORDS.findall("".join(self.new))
        if not before or not after or len(before) + len(after) > MOST_WORDS:
            return _whole(before), _whole(after)
        old: list[Run] = []
        new: list[Run] = []
        for kind, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
            _add(old, before[a:b], kind != "equal")
            _add(new, after[c:d], kind != "equal")
        return tuple(old), tuple(new)


def hunks(old: str, new: str) -> tuple[Hunk, ...]:
    """The changes that make ``old`` into ``new``, in order; none when they are the same."""
    before, after = lines_of(old), lines_of(new)
    changes = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    return tuple(
        Hunk(number, a, b, tuple(before[a:b]), tuple(after[c:d]))
        for number, (_, a, b, c, d) in enumerate(change for change in changes if change[0] != "equal")
    )


def apply(old: str, changes: Sequence[Hunk], accepted: Collection[int]) -> str:
    """``old`` with those changes made whose numbers are accepted.

    With all of them it is the new text, byte for byte; with none the old one.
    """
    lines = lines_of(old)
    for hunk in reversed(changes):
        if hunk.number in accepted:
            lines[hunk.start : hunk.end] = hunk.new
    return "".join(lines)


def lines_of(text: str) -> list[str]:
    r"""The lines of a text with their ends; ``\n`` alone ends one, since that is what an editor shows."""
    return [line for line in re.split(r"(?<=\n)", text) if line]


def _whole(words: Sequence[str]) -> tuple[Run, ...]:
    return (Run("".join(words), True),) if words else ()


def _add(runs: list[Run], words: Sequence[str], changed: bool) -> None:
    if words:
        runs.append(Run("".join(words), changed))

"""What is found in a text, and which of several findings counts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from msgspec import Struct


class Span(Struct, frozen=True, gc=False):
    """A piece of a text that is personal: characters ``start`` to ``end``, the latter not included."""

    start: int
    end: int
    kind: str


class Detector(Protocol):
    """Looks for one or several kinds of personal data."""

    kinds: frozenset[str]

    def find(self, text: str) -> Iterator[Span]:
        """What is found, in any order; pieces may overlap.

        Raises:
            Exception: any; the text is then not sent at all.
        """
        ...


_RANKS = {kind: rank for rank, kind in enumerate(("phone", "ip", "email", "id", "card", "iban", "key"))}
"""Which kind a piece is called by when two of the same length are found: the more specific comes later."""


def settled(found: Iterable[Span]) -> list[Span]:
    """The findings in order and without overlaps.

    What overlaps becomes one piece under the longest one's kind: no end of the shorter one may stay behind.
    """
    kept: list[Span] = []
    longest = 0
    for span in sorted(found, key=lambda span: (span.start, -span.end)):
        if not kept or span.start >= kept[-1].end:
            kept.append(span)
            longest = span.end - span.start
            continue
        last, length = kept[-1], span.end - span.start
        better = (length, _rank(span.kind)) > (longest, _rank(last.kind))
        kept[-1] = Span(last.start, max(last.end, span.end), span.kind if better else last.kind)
        longest = max(longest, length)
    return kept


def _rank(kind: str) -> int:
    return _RANKS.get(kind, len(_RANKS))

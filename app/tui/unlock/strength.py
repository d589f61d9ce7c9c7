"""How hard a passphrase is to guess, said plainly.

A coarse upper bound, on purpose: it counts how many passphrases one would have to try that are built the same way. No
list of leaked passwords is asked, since none is here; so it may call a well-known one strong, never a short one.
"""

from __future__ import annotations

import math
import re
from itertools import pairwise
from typing import Literal, NamedTuple

LEAST = 8
"""Characters that a passphrase must have."""

Grade = Literal["short", "weak", "fair", "strong"]

_FAIR_BITS = 45.0
_STRONG_BITS = 66.0
_WORD_BITS = 15.0
_LONGEST_WORD = 12
_MOSTLY = 0.6
_OTHER_CHARACTERS = 33
_WORD = re.compile(r"[^\W\d_]{3,}")
_COMMON = re.compile(
    r"pass(word|wort|phrase)?|qwert[yz]\w*|letmein|welcome|admin|secret|iloveyou|playground|dragon|monkey"
)
_KINDS = ((re.compile(r"[a-z]"), 26), (re.compile(r"[A-Z]"), 26), (re.compile(r"[0-9]"), 10))
_OTHER = re.compile(r"[^a-zA-Z0-9]")


class Strength(NamedTuple):
    """A grade, and a few words for the person."""

    grade: Grade
    words: str


def strength(passphrase: str) -> Strength:
    """Says how good a passphrase is. At 0.1 s a guess on one processor, a thief still tries millions a day."""
    missing = LEAST - len(passphrase)
    if missing > 0:
        return Strength("short", f"{missing} more character{'s' if missing > 1 else ''} at least")
    guesses = bits(passphrase)
    if guesses < _FAIR_BITS:
        return Strength("weak", "easy to guess for a program; four unusual words are better")
    if guesses < _STRONG_BITS:
        return Strength("fair", "fair; one or two words more make it strong")
    return Strength("strong", "strong")


def bits(passphrase: str) -> float:
    """The base-2 logarithm of how many passphrases are built like this one: random letters, or words of a list."""
    plain = _COMMON.sub("x", passphrase.casefold())
    kinds = sum(size for pattern, size in _KINDS if pattern.search(passphrase))
    kinds += _OTHER_CHARACTERS if _OTHER.search(passphrase) else 0
    by_letters = len(_without_runs(plain)) * math.log2(max(2, kinds))
    words = _WORD.findall(plain)
    in_words = sum(len(word) for word in words)
    if not words or in_words < _MOSTLY * len(plain):
        return by_letters
    # Words are chosen from a list, not letter by letter, and what stands between them adds little.
    between = len(_without_runs(_WORD.sub(" ", plain)))
    by_words = sum(_WORD_BITS if len(word) <= _LONGEST_WORD else 4.0 * len(word) for word in set(words))
    return min(by_letters, by_words + between)


def _without_runs(text: str) -> str:
    """Repeated and consecutive characters count once: ``aaaa``, ``1234``."""
    kept = text[:1]
    for before, character in pairwise(text):
        if abs(ord(character) - ord(before)) > 1:
            kept += character
    return kept

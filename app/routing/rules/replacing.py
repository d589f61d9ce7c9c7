"""A regular expression replaced in texts: at once, or as they come in pieces.

A piece is given on as soon as no match can begin in it any more that would go on in the next. How far back that is
follows from the pattern, so that of a text without anything like a match nothing is held back at all. A match that
grows beyond ``BOUND`` bytes of UTF-8 is not waited for: it is replaced as far as it had come then, and what follows is
taken as new text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import re2

from .beginnings import NotUnderstoodError, beginnings

BOUND = 4096
"""The longest match, in bytes of UTF-8, that is found wherever a stream is cut."""

_SLACK = 4
"""A match ends where the character after it has been seen too: assertions look at it."""

_TEMPLATE = re.compile(r"\\(?:g<(\w+)>|([0-9])|(.)|\Z)", re.DOTALL)
_PLAIN = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\"}


class BadPatternError(ValueError):
    """A pattern, or what takes its place, cannot be used; the message says why."""


class Replacement:
    r"""One pattern and what takes its place.

    Empty matches are not replaced.

    Args:
        pattern: in RE2's syntax.
        by: ``\0`` is all that matched, ``\1`` or ``\g<name>`` a group; ``\n``, ``\t``, ``\r`` and ``\\`` are what they
            are elsewhere.

    Raises:
        BadPatternError: when the pattern is not RE2's, matches the empty text, or ``by`` names no group of it.
    """

    def __init__(self, pattern: str, by: str) -> None:
        self.pattern = pattern
        self._regexp = compiled(pattern)
        if self._regexp.fullmatch(b"") is not None:
            raise BadPatternError("it matches the empty text, which is everywhere; expected at least one character")
        self._begun = _begun(pattern)
        self._by = _template(by, self._regexp)
        words = [part for part in self._by if isinstance(part, bytes)]
        self._constant = b"".join(words) if len(words) == len(self._by) else None

    def whole(self, text: bytes) -> bytes:
        """``text``, in UTF-8, with every match replaced."""
        found, _ = self._replaced(text, 0, len(text))
        return found

    def rest(self, text: bytes, start: int) -> bytes:
        """``text`` from ``start`` on, nothing coming after it, with every match replaced."""
        return self._replaced(text, start, len(text))[0]

    def begun(self, text: bytes, start: int) -> int:
        """From where on a match may have begun that goes on after the end of ``text``: its length when none may."""
        if self._begun is None:
            return start
        found = self._begun.search(text, start)
        return len(text) if found is None else int(found.start())

    def certain(self, text: bytes, start: int) -> tuple[bytes, int]:
        """``text`` from ``start`` on, its matches replaced, as far as no later text can change that; and how far."""
        given: list[bytes] = []
        while True:
            begun = self.begun(text, start)
            if len(text) - begun > BOUND + _SLACK:
                begun = self.begun(text, max(start, _character(text, len(text) - BOUND - _SLACK)))
            said, start = self._replaced(text, start, begun)
            given.append(said)
            if start <= begun:  # else a match went over it, and less may be open now
                break
        return b"".join(given), start

    def _replaced(self, text: bytes, start: int, end: int) -> tuple[bytes, int]:
        """Matches that begin before ``end``, replaced; and where it stopped: at ``end``, or after a match over it."""
        given: list[bytes] = []
        for match in self._regexp.finditer(text, start):
            first, last = match.span()
            if first >= end:
                break
            if last > first:
                given += (text[start:first], self._constant if self._constant is not None else self._expanded(match))
                start = last
        if start < end:
            given.append(text[start:end])
            start = end
        return b"".join(given), start

    def _expanded(self, match: Any) -> bytes:
        return b"".join(part if isinstance(part, bytes) else match.group(part) or b"" for part in self._by)


class Replacing:
    """Replaces in one text that comes in pieces: a ``TextFilter``.

    Args:
        replacements: applied one after the other, each to what the one before gives.
    """

    def __init__(self, replacements: Sequence[Replacement]) -> None:
        self._stages = [_Stage(replacement) for replacement in replacements]

    def feed(self, text: str) -> str:
        """Takes more of the text; gives what is certain."""
        raw = text.encode("utf-8", "surrogatepass")
        for stage in self._stages:
            raw = stage.feed(raw)
        return raw.decode("utf-8", "surrogatepass")

    def finish(self) -> str:
        """What was still held back."""
        raw = b""
        for stage in self._stages:
            raw = stage.feed(raw) + stage.finish()
        return raw.decode("utf-8", "surrogatepass")


class ReplacingWhole:
    """The same for a text that is there as a whole, whatever the length of a match."""

    def __init__(self, replacements: Sequence[Replacement]) -> None:
        self._replacements = replacements
        self._pieces: list[str] = []

    def feed(self, text: str) -> str:
        """Keeps the text."""
        self._pieces.append(text)
        return ""

    def finish(self) -> str:
        """All of it, replaced."""
        return replaced(self._replacements, "".join(self._pieces))


def replaced(replacements: Sequence[Replacement], text: str) -> str:
    """``text`` after every replacement, one after the other."""
    raw = changed = text.encode("utf-8", "surrogatepass")
    if len(replacements) > 1:
        any_of = _any_of(tuple(replacement.pattern for replacement in replacements))
        if any_of is not None and any_of.search(raw) is None:
            return text
    for replacement in replacements:
        changed = replacement.whole(changed)
    return text if changed is raw else changed.decode("utf-8", "surrogatepass")


class _Stage:
    """What one replacement holds back, after the one byte before it that assertions look at."""

    def __init__(self, replacement: Replacement) -> None:
        self._replacement = replacement
        self._text = b""
        self._start = 0

    def feed(self, more: bytes) -> bytes:
        if not more:
            return b""
        self._text += more
        given, at = self._replacement.certain(self._text, self._start)
        self._text, self._start = (self._text[at - 1 :], 1) if at else (self._text, 0)
        return given

    def finish(self) -> bytes:
        text, start = self._text, self._start
        self._text, self._start = b"", 0
        return self._replacement.rest(text, start)


@lru_cache(maxsize=256)
def compiled(pattern: str) -> Any:
    """The pattern, ready to search bytes of UTF-8.

    Raises:
        BadPatternError: when RE2 does not take it.
    """
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        said = error.args[0] if error.args else b""
        raise BadPatternError(said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)) from None


@lru_cache(maxsize=64)
def _any_of(patterns: tuple[str, ...]) -> Any:
    """All patterns in one, for texts in which none is found; None where they cannot be told apart when joined."""
    if any("\\Q" in pattern for pattern in patterns):  # quotes to its own end, or to anybody's
        return None
    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    try:
        return re2.compile("|".join(f"(?:{pattern})" for pattern in patterns), options)
    except re2.error:
        return None


def _begun(pattern: str) -> Any:
    """None where what may have begun cannot be told, so that everything within the bound waits."""
    try:
        language = beginnings(pattern)
    except (NotUnderstoodError, RecursionError):
        return None
    if not language:
        raise BadPatternError("it matches no character, so there is nothing to replace")
    try:
        return compiled(f"(?:{language})\\z")
    except BadPatternError:  # it is larger than the pattern itself, and too large
        return None


def _template(by: str, regexp: Any) -> tuple[bytes | int, ...]:
    parts: list[bytes | int] = []
    at = 0
    for found in _TEMPLATE.finditer(by):
        parts.append(by[at : found.start()].encode())
        at = found.end()
        name, number, other = found.groups()
        if name is None and number is None:
            if other not in _PLAIN:
                raise BadPatternError(f"`by` has {found[0]!r}; expected \\0 to \\9, \\g<name>, \\n, \\t, \\r or \\\\")
            parts.append(_PLAIN[other].encode())
        else:
            parts.append(_group(name or number, regexp))
    parts.append(by[at:].encode())
    return tuple(part for part in parts if part != b"")


def _group(name: str, regexp: Any) -> int:
    number = int(name) if name.isdigit() else regexp.groupindex.get(name)
    if number is None or not 0 <= number <= regexp.groups:
        raise BadPatternError(f"`by` names the group {name}, and the pattern has {regexp.groups}")
    return int(number)


def _character(text: bytes, at: int) -> int:
    """The first place from ``at`` on at which a character begins."""
    while at < len(text) and text[at] & 0xC0 == 0x80:
        at += 1
    return at

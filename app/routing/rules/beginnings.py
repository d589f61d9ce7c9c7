"""From a pattern to one that finds where a match of it may have begun: what a stream must hold back, and no more.

The language of all beginnings of a regular language is regular too. For ``abc`` it is ``(?:a(?:b(?:c)?)?)?``; anchored
at the end of what has come, its leftmost match is where a match may still be growing. Assertions are taken as always
true, so that rather too much is held back than too little.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

_COUNT = re.compile(r"\{(\d+)(?:(,)(\d*))?\}")
_FLAGS = re.compile(r"\(\?([imsU]*)(?:-([imsU]+))?([:)])")
_NAMED = re.compile(r"\(\?P?<\w+>")
_CLASS_NAME = re.compile(r"\[:\^?\w+:\]")
_ESCAPE = re.compile(
    r"\\(?:[pP](?:\{[^}]*\}|.)|x(?:\{[0-9A-Fa-f]+\}|[0-9A-Fa-f]{2})|[0-7]{1,3}|.)",
    re.DOTALL,
)
_ASSERTIONS = frozenset("AbBz")


class NotUnderstoodError(ValueError):
    """The pattern has something that this cannot follow."""


@dataclass(frozen=True)
class _Language:
    """What a piece of a pattern matches, assertions apart, and the beginnings of that; both with the empty text."""

    whole: str
    beginnings: str


_NOTHING = _Language("", "")


@dataclass(frozen=True)
class _Flags:
    ignore_case: bool = False
    dot_all: bool = False

    def around(self, atom: str) -> str:
        on = "i" * self.ignore_case + "s" * self.dot_all
        return f"(?{on}:{atom})" if on else atom

    def changed(self, on: str, off: str) -> _Flags:
        return replace(
            self,
            ignore_case=("i" in on or self.ignore_case) and "i" not in off,
            dot_all=("s" in on or self.dot_all) and "s" not in off,
        )


def beginnings(pattern: str) -> str:
    r"""A pattern, in RE2's syntax, of every beginning of a match of ``pattern``, the empty and the whole one included.

    Args:
        pattern: one that RE2 accepts.

    Raises:
        NotUnderstoodError: when it has what cannot be followed, as ``\C``, which matches half a character.
    """
    reader = _Reader(pattern)
    found = reader.alternatives(_Flags())
    if reader.at != len(pattern):
        raise NotUnderstoodError(f"a ')' too many at {reader.at}")
    return found.beginnings


class _Reader:
    """Recursive descent over RE2's syntax."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self.at = 0

    def alternatives(self, flags: _Flags) -> _Language:
        """What stands between here and the next ``)`` that was not opened here."""
        ways: list[_Language] = []
        row: list[_Language] = []
        while self.at < len(self._pattern) and self._pattern[self.at] != ")":
            if self._pattern[self.at] == "|":
                self.at += 1
                ways.append(_row(row))
                row = []
                continue
            changed = self._flags_here(flags)
            if changed is not None:
                flags = changed
                continue
            row.append(self._counted(self._piece(flags)))
        ways.append(_row(row))
        if len(ways) == 1:
            return ways[0]
        return _Language(_either(way.whole for way in ways), _either(way.beginnings for way in ways))

    def _flags_here(self, flags: _Flags) -> _Flags | None:
        found = _FLAGS.match(self._pattern, self.at)
        if found is None or found[3] != ")":
            return None
        self.at = found.end()
        return flags.changed(found[1], found[2] or "")

    def _piece(self, flags: _Flags) -> _Language:
        character = self._pattern[self.at]
        match character:
            case "(":
                return self._group(flags)
            case "[":
                return _atom(flags.around(self._class()))
            case "^" | "$":
                self.at += 1
                return _NOTHING
            case "\\":
                return self._escape(flags)
        self.at += 1
        return _atom(flags.around(character if character == "." else re.escape(character)))

    def _group(self, flags: _Flags) -> _Language:
        found = _FLAGS.match(self._pattern, self.at) or _NAMED.match(self._pattern, self.at)
        if found is not None:
            self.at = found.end()
            inside = flags.changed(found[1], found[2] or "") if found.re is _FLAGS else flags
        elif self._pattern.startswith("(?", self.at):
            raise NotUnderstoodError(f"a group of an unknown kind at {self.at}")
        else:
            self.at += 1
            inside = flags
        language = self.alternatives(inside)
        if self.at >= len(self._pattern):
            raise NotUnderstoodError("a group that does not end")
        self.at += 1
        return language

    def _class(self) -> str:
        start = self.at
        self.at += 2 if self._pattern.startswith("[^", start) else 1
        first = True
        while first or self._pattern[self.at : self.at + 1] != "]":
            first = False
            inner = _CLASS_NAME.match(self._pattern, self.at) or _ESCAPE.match(self._pattern, self.at)
            self.at = inner.end() if inner else self.at + 1
            if self.at >= len(self._pattern):
                raise NotUnderstoodError("a class that does not end")
        self.at += 1
        return self._pattern[start : self.at]

    def _escape(self, flags: _Flags) -> _Language:
        if self._pattern.startswith("\\Q", self.at):
            end = self._pattern.find("\\E", self.at)
            quoted = self._pattern[self.at + 2 : end if end >= 0 else None]
            if end < 0 or not quoted or self._pattern[end + 2 : end + 3] in ("*", "+", "?", "{"):
                raise NotUnderstoodError("quoted text that this cannot follow")
            self.at = end + 2
            return _row([_atom(flags.around(re.escape(character))) for character in quoted])
        found = _ESCAPE.match(self._pattern, self.at)
        if found is None or found[0] == "\\C":
            raise NotUnderstoodError(f"an escape at {self.at}")
        self.at = found.end()
        return _NOTHING if found[0][1] in _ASSERTIONS else _atom(flags.around(found[0]))

    def _counted(self, language: _Language) -> _Language:
        while self.at < len(self._pattern):
            sign = self._pattern[self.at]
            count = _COUNT.match(self._pattern, self.at) if sign == "{" else None
            if sign in "*+?":
                self.at += 1
                least, most = {"*": (0, None), "+": (1, None), "?": (0, 1)}[sign]
            elif count is not None:
                self.at = count.end()
                least = int(count[1])
                most = least if not count[2] else int(count[3]) if count[3] else None
            else:
                break
            if self._pattern[self.at : self.at + 1] == "?":  # lazy: the same texts, in another order
                self.at += 1
            language = _times(language, least, most)
        return language


def _atom(source: str) -> _Language:
    return _Language(source, f"(?:{source})?")


def _row(pieces: list[_Language]) -> _Language:
    pieces = [piece for piece in pieces if piece.beginnings]
    if not pieces:
        return _NOTHING
    found = pieces[-1].beginnings
    for piece in reversed(pieces[:-1]):
        if piece.beginnings == f"(?:{piece.whole})?":  # one character: all of it and more, or nothing
            found = f"(?:{piece.whole}{found})?"
        else:
            found = f"(?:{piece.whole}{found}|{piece.beginnings})"
    return _Language("".join(piece.whole for piece in pieces), found)


def _times(language: _Language, least: int, most: int | None) -> _Language:
    if not language.beginnings or most == 0:
        return _NOTHING
    whole = f"(?:{language.whole})"
    if most is None:
        return _Language(f"{whole}{{{least},}}" if least else f"{whole}*", f"{whole}*{language.beginnings}")
    before = f"{whole}{{0,{most - 1}}}" if most > 1 else ""
    return _Language(f"{whole}{{{least},{most}}}", f"(?:{before}{language.beginnings})")


def _either(ways: Iterable[str]) -> str:
    return f"(?:{'|'.join(ways)})"

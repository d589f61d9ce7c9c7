"""Puts back what placeholders stand for, in a text that comes in pieces."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property

_WORD = re.compile(r"[A-Za-z0-9_]")


class Placeholders:
    """What one exchange's placeholders stand for.

    Models do not copy faithfully: they change the case, escape underscores for Markdown or leave the brackets out. All
    of these are known again; the tag at the end keeps that from being anything but a placeholder.

    Args:
        values: by the placeholder's name, without brackets.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = {name.lower(): value for name, value in values.items()}

    @property
    def any(self) -> bool:
        """Whether there is anything to put back."""
        return bool(self._values)

    @property
    def values(self) -> tuple[str, ...]:
        """What was replaced, in the order of its first place."""
        return tuple(self._values.values())

    @cached_property
    def longest(self) -> int:
        """Characters that a placeholder takes at most, each of its marks escaped."""
        return max(map(len, self._values), default=0) + 4 + max((name.count("_") for name in self._values), default=0)

    @cached_property
    def _beginnings(self) -> frozenset[str]:
        return frozenset(name[:length] for name in self._values for length in range(len(name) + 1))

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        names = "|".join(re.escape(name).replace("_", r"\\?_") for name in sorted(self._values, key=len, reverse=True))
        name = rf"(?:{names})(?![A-Za-z0-9])"
        # Brackets that Markdown needs for a link are not a placeholder's.
        return re.compile(rf"\\?\[({name})\\?\](?!\()|(?<![A-Za-z0-9_])({name})", re.IGNORECASE)

    def restored(self, text: str, since: int = 0) -> str:
        """``text`` from character ``since`` on with everything put back; what stands before is looked at only."""
        if not self._values:
            return text[since:]
        pieces: list[str] = []
        end = since
        for found in self._pattern.finditer(text, since):
            value = self._values[(found[1] or found[2]).replace("\\", "").lower()]
            pieces += (text[end : found.start()], value)
            end = found.end()
        return "".join([*pieces, text[end:]])

    def held(self, text: str, since: int = 0) -> int:
        """How many characters at the end of ``text``, from ``since`` on, may yet become a placeholder."""
        for start in range(max(since, len(text) - self.longest), len(text)):
            if self._may_become(text, start):
                return len(text) - start
        return 0

    def _may_become(self, text: str, start: int) -> bool:
        if text[start] not in "[\\" and start and _WORD.match(text[start - 1]):
            return False
        rest = text[start:].replace("\\", "").lower()
        rest = rest[1:] if rest.startswith("[") else rest
        # Whole ones too: whether they end here, and whether a bracket belongs to them, is told by what follows.
        return rest in self._beginnings or (rest.endswith("]") and rest[:-1] in self._values)


class Restorer:
    """A ``TextFilter`` that restores; it holds back no more than one placeholder takes.

    Args:
        placeholders: of the exchange whose answer this is.
    """

    def __init__(self, placeholders: Placeholders) -> None:
        self._placeholders = placeholders
        self._held = ""
        self._before = ""

    def feed(self, text: str) -> str:
        """Takes more of the text; gives what is certain, restored."""
        if not text:
            return ""
        if not self._placeholders.any:
            return text
        # One character of what was given on already goes before: whether a word begins here depends on it.
        whole = self._before + self._held + text
        return self._give(whole, len(whole) - self._placeholders.held(whole, len(self._before)))

    def finish(self) -> str:
        """What was still held back, restored."""
        whole = self._before + self._held
        return self._give(whole, len(whole))

    def _give(self, whole: str, certain: int) -> str:
        since = len(self._before)
        self._held = whole[certain:]
        if certain == since:
            return ""
        self._before = whole[certain - 1]
        return self._placeholders.restored(whole[:certain], since)

"""The user's own patterns, run by RE2: no text makes them slow."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from app.errors import SettingsError

from .spans import Span

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}")


class PatternDetector:
    """Finds what matches patterns, each of them a kind of its own.

    Args:
        patterns: in RE2's syntax, by the name of their kind.

    Raises:
        SettingsError: naming the pattern that cannot be used.
    """

    def __init__(self, patterns: Mapping[str, str]) -> None:
        self._patterns = dict(patterns)
        self.kinds = frozenset(patterns)
        for name in patterns:
            if not _NAME.fullmatch(name):
                raise SettingsError(
                    f"privacy.redact_patterns: {name!r} cannot name a kind of data.",
                    "Use a letter, then letters, digits and underscores, 32 at most.",
                )
        if patterns:
            _ = self._compiled  # refused when the settings are read, not when the first request is on its way

    @cached_property
    def _compiled(self) -> dict[str, Any]:
        import re2

        options = re2.Options()
        options.log_errors = False
        options.max_mem = 16 << 20
        compiled = {}
        for name, pattern in self._patterns.items():
            try:
                compiled[name] = re2.compile(pattern, options)
            except re2.error as error:
                raise SettingsError(
                    f"privacy.redact_patterns: {name} = {pattern!r} is not a pattern in RE2's syntax: {error}.",
                    "Correct it; look-around and back-references are not part of that syntax.",
                ) from error
            if compiled[name].search("") is not None:
                raise SettingsError(
                    f"privacy.redact_patterns: {name} = {pattern!r} matches where there is nothing.",
                    "Write it so that it matches at least one character.",
                )
        return compiled

    def find(self, text: str) -> Iterator[Span]:
        """See ``Detector.find``."""
        if not self._patterns:
            return
        for name, pattern in self._compiled.items():
            for found in pattern.finditer(text):
                if found.end() > found.start():
                    yield Span(found.start(), found.end(), name)

"""Finds where a JSON object ends, without parsing it."""

from __future__ import annotations

import re

_STEPS = re.compile(r'["\\{}\[\]]')


class JsonScan:
    """Follows one JSON object through any number of pieces of text. The object must begin in the first of them."""

    def __init__(self) -> None:
        self._depth = 0
        self._in_string = self._escaped = False

    def feed(self, text: str) -> int | None:
        """How many characters of ``text`` belong to the object, when it ends in there; ``None`` when it goes on."""
        at = 0
        while True:
            if self._escaped and at < len(text):
                self._escaped = False
                at += 1
            step = _STEPS.search(text, at)
            if step is None:
                return None
            at = step.end()
            mark = step.group()
            if self._in_string:
                self._escaped = mark == "\\"
                self._in_string = mark != '"'
            elif mark == '"':
                self._in_string = True
            elif mark in "{[":
                self._depth += 1
            elif mark in "}]":
                self._depth -= 1
                if self._depth <= 0:
                    return at

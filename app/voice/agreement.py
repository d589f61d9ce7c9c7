"""Which words of a text that is heard again and again have settled."""

from __future__ import annotations

import re

_WORD = re.compile(r"\S+")


class Agreement:
    """Words settle when two hearings in a row agree on them and on all before.

    "Local agreement": Macháček and others, 2023, https://arxiv.org/abs/2307.14743.
    """

    def __init__(self) -> None:
        self._last: list[str] = []

    def settled(self, text: str) -> int:
        """How many characters of ``text``, the newest hearing, have settled."""
        found = list(_WORD.finditer(text))
        words = [match.group().strip(".,;:!?…").casefold() for match in found]
        agreed = 0
        for word, before in zip(words, self._last, strict=False):
            if word != before:
                break
            agreed += 1
        self._last = words
        return found[agreed - 1].end() if agreed else 0

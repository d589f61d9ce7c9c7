"""Long pastes: shown as one short mark, sent whole.

A text field lays out every line that it holds, so a megabyte would make each key slow. The mark stands for the text; it
is put back when the prompt is sent or opened in an editor.
"""

from __future__ import annotations

import re

LONG = 12_000
"""Characters from which a text is marked instead of shown."""

_MARK = re.compile(r"⟦pasted text (\d+) · [\d,]+ characters⟧")


class PastedTexts:
    """The long texts of one draft."""

    def __init__(self) -> None:
        self._texts: dict[int, str] = {}
        self._last = 0

    def mark(self, text: str) -> str:
        """A short mark for a long text; a shorter text comes back as it is."""
        if len(text) <= LONG:
            return text
        self._last += 1
        self._texts[self._last] = text
        return f"⟦pasted text {self._last} · {len(text):,} characters⟧"

    def expand(self, text: str) -> str:
        """``text`` with every known mark replaced by what it stands for."""
        return _MARK.sub(lambda found: self._texts.get(int(found[1]), found[0]), text)

    def mark_before(self, line: str) -> int:
        """Length of the mark that ends this line; 0 when it ends with something else."""
        for found in _MARK.finditer(line):
            if found.end() == len(line) and int(found[1]) in self._texts:
                return len(found[0])
        return 0

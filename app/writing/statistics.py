"""How long a text is, for a person who reads it."""

from __future__ import annotations

import re

from msgspec import Struct

WORDS_A_MINUTE = 238
"""Silent reading of English prose, adults: Brysbaert, "How many words do we read per minute?" (2019)."""

IDEOGRAMS_A_MINUTE = 260
"""Silent reading of Chinese, in characters: same source."""

_IDEOGRAM = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_IDEOGRAMS = re.compile(f"[{_IDEOGRAM}]")
_WORDS = re.compile(rf"[^\W_{_IDEOGRAM}]+(?:['’.,\-][^\W_{_IDEOGRAM}]+)*")
_FENCE = re.compile(r"^(?P<fence>`{3,}|~{3,})[^\n]*\n.*?(?:^(?P=fence)[`~]*[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)
_ADDRESS = re.compile(r"(?<=\]\()[^)\s]*|<https?://[^>\s]*>")


class Statistics(Struct, frozen=True):
    """Words as a person counts them (an ideogram is one), characters with spaces, and minutes of reading.

    Words inside fenced code and addresses of links are not counted, since nobody reads them at that pace.
    """

    words: int
    characters: int
    minutes: float

    @property
    def reading_time(self) -> str:
        """``under a minute``, ``1 min``, ``12 min``: rounded up, as a reader would like it."""
        if self.words == 0:
            return "nothing to read yet"
        return "under a minute" if self.minutes < 0.5 else f"{max(1, round(self.minutes))} min"


def statistics(markdown: str) -> Statistics:
    """The figures of a text."""
    prose = _ADDRESS.sub("", _FENCE.sub("", markdown))
    words, ideograms = len(_WORDS.findall(prose)), len(_IDEOGRAMS.findall(prose))
    return Statistics(words + ideograms, len(markdown), words / WORDS_A_MINUTE + ideograms / IDEOGRAMS_A_MINUTE)

"""Text for terminals that do not take every letter: what they cannot show is written in letters that they can."""

from __future__ import annotations

import codecs
import io
import unicodedata
from collections.abc import Iterable, Mapping
from typing import TextIO

_NAME = "playground-readable"
_INSTEAD: Mapping[str, str] = {
    **dict.fromkeys("‐‑‒–—―−", "-"),
    **dict.fromkeys("‘’‚‛′", "'"),
    **dict.fromkeys("“”„‟″", '"'),
    **{"…": "...", "→": "->", "←": "<-", "≈": "~", "≤": "<=", "≥": ">=", "×": "x", "·": "-", "•": "*", "€": "EUR"},
    **{"ß": "ss", "æ": "ae", "Æ": "AE", "ø": "o", "Ø": "O", "œ": "oe", "Œ": "OE", "ł": "l", "Ł": "L", "đ": "d"},
}


def make_readable(streams: Iterable[TextIO]) -> None:
    """Has each stream write what its encoding lacks in other letters, instead of failing or showing numbers."""
    codecs.register_error(_NAME, _written)
    for stream in streams:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_NAME)


def _written(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(_instead(letter, error.encoding) for letter in lacking), error.end


def _instead(letter: str, encoding: str) -> str:
    """``letter`` in others that ``encoding`` has: é is e, a dash a hyphen, what has no likeness a question mark."""
    for likeness in (_INSTEAD.get(letter, ""), unicodedata.normalize("NFKD", letter)):
        shown = "".join(each for each in likeness if not unicodedata.combining(each) and _has(encoding, each))
        if shown:
            return shown
    return "?"


def _has(encoding: str, letter: str) -> bool:
    try:
        letter.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True

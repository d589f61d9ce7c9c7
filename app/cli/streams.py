"""The standard streams as the program needs them: there, and able to take every letter.

What a terminal cannot show is written in letters that it can.
"""

from __future__ import annotations

import codecs
import io
import os
import sys
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TextIO

_NAME = "playground-readable"
_INSTEAD: Mapping[str, str] = {
    **dict.fromkeys("‐‑‒–—―−", "-"),
    **dict.fromkeys("‘’‚‛′", "'"),
    **dict.fromkeys("“”„‟″", '"'),
    **{"…": "...", "→": "->", "←": "<-", "≈": "~", "≤": "<=", "≥": ">=", "×": "x", "·": "-", "•": "*", "€": "EUR"},
    **{"ß": "ss", "æ": "ae", "Æ": "AE", "ø": "o", "Ø": "O", "œ": "oe", "Œ": "OE", "ł": "l", "Ł": "L", "đ": "d"},
}


def replace_closed_streams() -> None:
    """Puts nothing in the place of standard streams that the caller has closed (``>&-``).

    Else the first file that is opened, the vault perhaps, would get the number of one, and be written to as such.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            nothing = Path(os.devnull).open(mode, encoding="utf-8")  # noqa: SIM115 (for as long as we run)
            os.set_inheritable(nothing.fileno(), True)
            setattr(sys, name, nothing)


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

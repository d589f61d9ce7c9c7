"""A file name for an exported conversation."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

from app.vault.conversations.records import Session

Form = Literal["markdown", "json", "html"]
"""What a conversation can be exported to."""

_SUFFIXES: dict[Form, str] = {"markdown": ".md", "json": ".json", "html": ".html"}
_FALLBACK = "conversation"
_MOST_CHARACTERS = 80
_MOST_BYTES = 200
_DEVICES = frozenset({"con", "prn", "aux", "nul", *(f"{name}{n}" for name in ("com", "lpt") for n in "0123456789¹²³")})
"""Names that Windows keeps for itself, whatever their suffix."""


def suggested_name(session: Session, form: Form) -> str:
    """A file name that is safe on every system: letters, digits, marks, ``-``, ``_`` and inner dots of the title.

    At most 200 bytes and the suffix; never empty, never hidden, never a device.
    """
    title = unicodedata.normalize("NFC", session.title)
    words = "".join(character if _is_plain(character) else "-" for character in title)
    stem = _trimmed(re.sub(r"-{2,}", "-", re.sub(r"\.{2,}", ".", words))[:_MOST_CHARACTERS])
    while len(stem.encode()) > _MOST_BYTES:
        stem = _trimmed(stem[:-1])
    if stem.partition(".")[0].casefold() in _DEVICES:
        stem = f"{_FALLBACK}-{stem}"
    return (stem or _FALLBACK) + _SUFFIXES[form]


def _is_plain(character: str) -> bool:
    return character in "-_." or unicodedata.category(character)[0] in "LNM"


def _trimmed(stem: str) -> str:
    return stem.strip("-._")

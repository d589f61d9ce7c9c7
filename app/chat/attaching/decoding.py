"""Bytes of a file as text, in the encoding that they are most likely in; or the finding that they are none."""

from __future__ import annotations

import codecs

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""In this order: the mark of UTF-32 begins with that of UTF-16."""

_CONTROLS = bytes(code for code in (*range(32), 127) if code not in b"\t\n\v\f\r\x1b")
_MOST_CONTROLS = 0.02
"""The share of control characters up to which bytes may still be a text; of random bytes they are a tenth."""

_LEAST_NULS = 0.3
"""Of UTF-16 without a mark, where it writes mostly English."""


def decoded(held: bytes) -> str | None:
    """The text that ``held`` is, its line ends as newlines; ``None`` when it is none.

    UTF-8, UTF-16 and UTF-32 with a mark at their beginning, UTF-16 without one; what is none of them and has hardly
    any control characters is taken for Windows-1252, the old encoding of the west.
    """
    encoding = next((name for mark, name in _MARKS if held.startswith(mark)), None) or _wide(held) or "utf-8"
    text = _strictly(held, encoding)
    if text is None and encoding == "utf-8" and not _looks_binary(held):
        text = _strictly(held, "cp1252") or held.decode("latin-1")
    if text is None or _looks_binary(text.encode("utf-8", "replace")):
        return None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _strictly(held: bytes, encoding: str) -> str | None:
    try:
        return held.decode(encoding)
    except UnicodeDecodeError:
        return None


def _wide(held: bytes) -> str | None:
    """The UTF-16 that bytes are in by where their zeros stand: in every second place, and nowhere else."""
    if len(held) % 2 or len(held) < 4:
        return None
    nuls = held.count(0)
    if nuls < len(held) * _LEAST_NULS:
        return None
    if held[1::2].count(0) == nuls:
        return "utf-16-le"
    return "utf-16-be" if held[::2].count(0) == nuls else None


def _looks_binary(held: bytes) -> bool:
    return 0 in held or len(held) - len(held.translate(None, _CONTROLS)) > len(held) * _MOST_CONTROLS

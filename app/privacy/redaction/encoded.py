"""Files within requests, as base64: what is text in them is searched, what is proved to be none is let alone."""

from __future__ import annotations

import base64
import binascii
import codecs
from collections.abc import Callable

_FILES = (
    b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"RIFF", b"BM", b"II*\0", b"MM\0*", b"OggS", b"fLaC",
    b"ID3", b"PK\x03\x04", b"\x1f\x8b", b"\x1aE\xdf\xa3", b"%PDF-",
)  # fmt: skip
"""How pictures, sounds, packed files and documents begin."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROLS = bytes(code for code in (*range(32), 127) if code not in b"\t\n\v\f\r\x1b")
_MOST_CONTROLS = 0.02
"""The share of control characters up to which bytes may still be a text; of random bytes they are a tenth."""


_LEAST_SEALED = 192


def redact_encoded(text: str, redact: Callable[[str], str]) -> str:
    """``text``, which should be a file as base64, perhaps as a ``data:`` address, with nothing personal in it.

    What begins as a picture, a sound, a packed file or a PDF and is base64 from its first to its last character stays
    as it is. Everything else is searched: as it is written, for it may be a name or an address; and if it is base64 of
    a text, that text, which is written as base64 again.

    Args:
        text: as the request has it.
        redact: replaces what is personal in a text.
    """
    head, comma, coded = text.partition(",") if text.startswith("data:") else ("", "", text)
    held = _decoded(coded)
    if held is None:
        return redact(text)
    if not _is_file(held):
        words, encoding = _said(held)
        redacted = redact(words) if words else words
        changed = redacted != words
        coded = base64.b64encode(redacted.encode(encoding)).decode() if changed else redact(coded)
    return redact(head) + comma + coded if head else coded


def is_sealed(text: str) -> bool:
    """Whether ``text`` is a thought, signed or sealed: base64 of no text, and too long to be a key."""
    held = _decoded(text) if len(text) >= _LEAST_SEALED else None
    return held is not None and not _said(held)[0]


def _decoded(coded: str) -> bytes | None:
    """The bytes, or ``None`` where it is not base64, of one alphabet and in lines at most, to its last character."""
    if not coded.isascii():
        return None
    plain = coded.replace("\n", "").replace("\r", "")
    if "-" in plain or "_" in plain:
        if "+" in plain or "/" in plain:
            return None
        plain = plain.replace("-", "+").replace("_", "/")
    try:
        return binascii.a2b_base64(plain + "=" * (-len(plain) % 4), strict_mode=True)
    except binascii.Error:
        return None


def _is_file(held: bytes) -> bool:
    if held[4:8] != b"ftyp" and not held.startswith(_FILES):
        return False
    # Letters alone may begin a text too. A PDF is told by more of them, and its places must stay where they are.
    return held.startswith(b"%PDF-") or len(held[:64].translate(None, _CONTROLS)) < len(held[:64])


def _said(held: bytes) -> tuple[str, str]:
    """What bytes say as a text, and in which encoding; nothing where they are none."""
    encoding = next((name for mark, name in _MARKS if held.startswith(mark)), "utf-8")
    if encoding == "utf-8" and len(held.translate(None, _CONTROLS)) < len(held) * (1 - _MOST_CONTROLS):
        return "", encoding
    try:
        return held.decode(encoding), encoding
    except UnicodeDecodeError:
        return held.decode("latin-1"), "latin-1"

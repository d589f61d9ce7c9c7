"""What a picture is and how large, by its first bytes: no library is asked, and no pixel is decoded.

Sources: PNG (RFC 2083, 11.2.2), GIF89a (section 18), JPEG (ITU T.81, B.2.2), WebP (RFC 9649).
"""

from __future__ import annotations

from msgspec import Struct

_FRAMES = frozenset((0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF))
"""Markers of JPEG that a frame begins with; its size stands there."""

_MOST_SEGMENTS = 4096
_PIXELS_A_TOKEN = 750
_MOST_TOKENS = 1600


class Picture(Struct, frozen=True):
    """A kind, and a size in pixels."""

    media_type: str
    width: int
    height: int

    @property
    def tokens(self) -> int:
        """What it takes of a context window, roughly: a token for each 750 pixels, once it is scaled down.

        Source: Anthropic's documentation of vision; others count in like measure.
        """
        return min(_MOST_TOKENS, max(1, self.width * self.height // _PIXELS_A_TOKEN))


def kind_of(held: bytes) -> str | None:
    """The media type that the first bytes tell; ``None`` when they are of no picture that models take."""
    if held.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if held.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if held.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    return "image/webp" if held[:4] == b"RIFF" and held[8:12] == b"WEBP" else None


def picture(held: bytes) -> Picture | None:
    """The picture that bytes are; ``None`` when they are of a kind of picture but damaged, or of none."""
    kind = kind_of(held)
    measure = {"image/png": _png, "image/jpeg": _jpeg, "image/gif": _gif, "image/webp": _webp}.get(kind or "")
    size = measure(held) if measure is not None else None
    if kind is None or size is None or not (size[0] and size[1]):
        return None
    return Picture(kind, *size)


def _png(held: bytes) -> tuple[int, int] | None:
    if held[12:16] != b"IHDR" or len(held) < 33:
        return None
    return int.from_bytes(held[16:20], "big"), int.from_bytes(held[20:24], "big")


def _gif(held: bytes) -> tuple[int, int] | None:
    if len(held) < 13:
        return None
    return int.from_bytes(held[6:8], "little"), int.from_bytes(held[8:10], "little")


def _jpeg(held: bytes) -> tuple[int, int] | None:
    at = 2
    for _ in range(_MOST_SEGMENTS):
        while held[at : at + 2] == b"\xff\xff":
            at += 1
        if at + 9 > len(held) or held[at] != 0xFF:
            return None
        marker, length = held[at + 1], int.from_bytes(held[at + 2 : at + 4], "big")
        if marker in _FRAMES:
            return int.from_bytes(held[at + 7 : at + 9], "big"), int.from_bytes(held[at + 5 : at + 7], "big")
        if marker == 0xDA or length < 2:
            return None
        at += 2 + length
    return None


def _webp(held: bytes) -> tuple[int, int] | None:
    if len(held) < 30:
        return None
    kind = held[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(held[24:27], "little"), 1 + int.from_bytes(held[27:30], "little")
    if kind == b"VP8L" and held[20] == 0x2F:
        bits = int.from_bytes(held[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 " and held[23:26] == b"\x9d\x01\x2a":
        width, height = int.from_bytes(held[26:28], "little"), int.from_bytes(held[28:30], "little")
        return width & 0x3FFF, height & 0x3FFF
    return None

"""Makes text harmless for a terminal: what would command it is shown instead of obeyed.

Text from a model, a file or the network may hold escape sequences: OSC 52 writes the clipboard, others clear the
screen, set the title, switch to another alphabet or reverse the reading order. A terminal obeys them wherever they
stand, so every control character is replaced, one by one, by something that can be seen. Since no character depends
on another, a sequence that is split between two tokens is as harmless as a whole one.
"""

from __future__ import annotations

import re

_KEPT = "\n\t"

_BIDI_AND_INVISIBLE = (
    *range(0x202A, 0x202F),  # embeddings and overrides of direction
    *range(0x2066, 0x206A),  # isolates
    0x200E,
    0x200F,
    0x061C,  # direction marks
    0x2028,
    0x2029,  # line and paragraph separators
    0x180E,
    0x200B,
    0x2060,
    *range(0x2061, 0x2065),
    *range(0x206A, 0x2070),
    0xFEFF,  # no width, no look
    *range(0xFFF9, 0xFFFC),  # interlinear annotation
)
_TAGS = range(0xE0000, 0xE0080)
_SURROGATES = range(0xD800, 0xE000)


def _glyph(code: int) -> str:
    """What stands for a character that must not be obeyed."""
    if code < 0x20:
        return chr(0x2400 + code)  # the control pictures: ESC is ␛
    if code == 0x7F:
        return "␡"
    if code in _SURROGATES:
        return "�"
    return f"⟨{code:04X}⟩"


_HARMFUL = {
    code: _glyph(code)
    for code in (
        *(code for code in range(0x20) if chr(code) not in _KEPT),
        *range(0x7F, 0xA0),
        *_BIDI_AND_INVISIBLE,
        *_TAGS,
        *_SURROGATES,
    )
}
_ASCII = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_PATTERN = re.compile("[" + re.escape("".join(map(chr, _HARMFUL))) + "]")


def is_clean(text: str) -> bool:
    """Whether ``clean`` would change nothing."""
    # Most text is ASCII, where a small pattern is ten times as fast.
    return (_ASCII if text.isascii() else _PATTERN).search(text) is None


def clean(text: str) -> str:
    """``text`` with every control, direction and invisible character made visible; line ends become newlines.

    Kept as they are: newline, tab, letters and marks of every script, and what joins emoji. Source: ECMA-48 for the
    controls, UAX 9 for direction, "Trojan Source" (Boucher and Anderson, 2021) for why it matters.
    """
    text = text.replace("\r\n", "\n")
    return text if is_clean(text) else text.translate(_HARMFUL)


class StreamCleaner:
    """``clean`` for text that comes in pieces: the pieces together come out as the whole would.

    A carriage return at the end of a piece waits for what follows, because before a newline it means nothing.
    """

    def __init__(self) -> None:
        self._held = ""

    def feed(self, text: str) -> str:
        """The next piece, cleaned."""
        text = self._held + text
        self._held = "\r" if text.endswith("\r") else ""
        return clean(text[: len(text) - len(self._held)])

    def finish(self) -> str:
        """What was held back."""
        rest, self._held = self._held, ""
        return clean(rest)

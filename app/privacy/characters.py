"""Characters that are whole: a text may hold halves of them, and UTF-8 has no place for those."""

from __future__ import annotations


def whole_characters(text: str) -> str:
    """``text``, with two halves of a character (lone surrogates) made one, and a half alone made U+FFFD.

    They come from file names and arguments that are not UTF-8, and from JSON that was cut inside a character.
    """
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text

"""Cutting a long text where its paragraphs end, so that a model with a small window can work through all of it."""

from __future__ import annotations

import re

from msgspec import Struct

CHUNK_CHARACTERS = 1800
"""About 450 tokens of English: with an answer as long, and the question, well within 2,048 of context."""

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")
_SENTENCE_END = re.compile(r"(?<=[.!?…。！？])[\"'”’)]*\s+")


class Chunk(Struct, frozen=True):
    """A part of a text.

    Attributes:
        text: without the white space that follows it.
        after: that white space; all texts and what is after them, joined, are the whole.
        verbatim: whether it is code or a picture, which no rewriting should touch.
    """

    text: str
    after: str = ""
    verbatim: bool = False


def chunks(text: str, most: int = CHUNK_CHARACTERS) -> tuple[Chunk, ...]:
    """The text in parts of at most ``most`` characters: whole paragraphs where they fit, else whole sentences.

    Code in fences is a part of its own, however long; so is white space at the beginning.
    """
    found: list[Chunk] = []
    for block, verbatim in _blocks(text):
        for piece in [block] if verbatim else _packed(block, most):
            found += _trimmed(piece, verbatim)
    return tuple(found)


def _trimmed(text: str, verbatim: bool) -> list[Chunk]:
    """The text with the white space before and after it set apart."""
    kept = text.strip("\n") if verbatim else text.strip()
    if not kept:
        return [Chunk("", text, verbatim=True)]
    at = text.index(kept)
    before, after = text[:at], text[at + len(kept) :]
    found = [Chunk("", before, verbatim=True)] if before else []
    return [*found, Chunk(kept, after, verbatim)]


def _blocks(text: str) -> list[tuple[str, bool]]:
    """Runs of prose, and code in fences, in turn."""
    blocks: list[tuple[str, bool]] = []
    lines: list[str] = []
    fence = ""

    def close(verbatim: bool) -> None:
        if lines:
            blocks.append(("".join(lines), verbatim))
            lines.clear()

    for line in re.split(r"(?<=\n)", text):
        mark = _FENCE.match(line)
        if fence:
            lines.append(line)
            if mark and mark[1][0] == fence[0] and len(mark[1]) >= len(fence) and not line[mark.end() :].strip():
                close(verbatim=True)
                fence = ""
        elif mark:
            close(verbatim=False)
            fence = mark[1]
            lines.append(line)
        elif line:
            lines.append(line)
    close(verbatim=bool(fence))
    return blocks


def _packed(block: str, most: int) -> list[str]:
    """Paragraphs put together as long as they fit."""
    packed: list[str] = []
    for paragraph in _pieces(r"(?<=\n)(?=[ \t]*\n*\S)(?<=\n\n)", block):
        for piece in [paragraph] if len(paragraph) <= most else _cut(paragraph, most):
            if packed and len(packed[-1]) + len(piece) <= most:
                packed[-1] += piece
            else:
                packed.append(piece)
    return packed


def _cut(paragraph: str, most: int) -> list[str]:
    """A paragraph that is too long, at the ends of its sentences; a sentence that is, at a space or anywhere."""
    cut: list[str] = []
    ends = [match.end() for match in _SENTENCE_END.finditer(paragraph)]
    start = 0
    for end in [*ends, len(paragraph)]:
        sentence = paragraph[start:end]
        start = end
        while len(sentence) > most:
            at = sentence.rfind(" ", most // 2, most) + 1 or most
            cut.append(sentence[:at])
            sentence = sentence[at:]
        if cut and len(cut[-1]) + len(sentence) <= most:
            cut[-1] += sentence
        elif sentence:
            cut.append(sentence)
    return cut


def _pieces(pattern: str, text: str) -> list[str]:
    return [piece for piece in re.split(pattern, text) if piece]

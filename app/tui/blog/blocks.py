"""A Markdown text in pieces that can be painted one by one, so that a key costs one paragraph and not the post."""

from __future__ import annotations

import re

from msgspec import Struct

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")


class Block(Struct, frozen=True):
    """A piece, and the line of the text that it begins on, counted from 0."""

    text: str
    line: int


def blocks(markdown: str) -> tuple[Block, ...]:
    """The text cut at empty lines, but not in fenced code, nor before lines that are indented: they belong above."""
    found: list[Block] = []
    lines: list[str] = []
    start, fence, ended = 0, "", False

    def close() -> None:
        if lines:
            found.append(Block("\n".join(lines).rstrip("\n"), start))
            lines.clear()

    for number, line in enumerate(markdown.split("\n")):
        if ended and line.strip() and not line.startswith((" ", "\t")):
            close()
        ended = not fence and not line.strip()
        if not lines:
            if ended:
                continue
            start = number
        lines.append(line)
        mark = _FENCE.match(line)
        if mark and not fence:
            fence = mark[1]
        elif mark and mark[1].startswith(fence) and not line[mark.end() :].strip():
            fence = ""
    close()
    return tuple(found)

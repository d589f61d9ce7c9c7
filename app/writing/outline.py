"""The headings of a Markdown text, as CommonMark sees them: none inside code, both kinds of underline."""

from __future__ import annotations

from markdown_it import MarkdownIt
from msgspec import Struct


class Heading(Struct, frozen=True):
    """A heading: its level (1 to 6), its words without markup, and its line, counted from 0."""

    level: int
    title: str
    line: int


def outline(markdown: str) -> tuple[Heading, ...]:
    """Every heading at the top level of a text, in order; those inside quotations and lists are left out."""
    tokens = MarkdownIt("commonmark").parse(markdown)
    found = []
    for place, token in enumerate(tokens):
        if token.type != "heading_open" or token.level != 0 or token.map is None:
            continue
        inline = tokens[place + 1]
        words = "".join(child.content for child in inline.children or () if child.type in ("text", "code_inline"))
        found.append(Heading(int(token.tag[1]), words.strip(), token.map[0]))
    return tuple(found)

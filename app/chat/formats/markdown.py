"""A conversation as one Markdown document."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from app.messages import Image, Node, Part, Text, Thinking, ToolCall, ToolResult
from app.vault.conversations.records import WholeSession

from .fences import fenced, literal, quoted
from .reading import as_text
from .shown import data_address, ending, moment, shown_branch, speaker, title_of

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_AFTER = "after"
_MOST_CLOSINGS = 4
_HTML_ENDS = {
    "<!--": "-->",
    "<![cdata[": "]]>",
    "<!": ">",
    "<?": "?>",
    "<script": "</script>",
    "<pre": "</pre>",
    "<style": "</style>",
    "<textarea": "</textarea>",
}
"""Blocks of HTML that do not end at a blank line, and what ends them (CommonMark 0.31, section 4.6)."""

_MAY_STAY_OPEN = re.compile(r"```|~~~|<(?:[!?]|script|pre|style|textarea)", re.IGNORECASE)
"""Most messages hold none of it and need no parsing, which would take 0.4 ms for each."""


def to_markdown(whole: WholeSession, *, pictures: bool = True) -> str:
    """The branch that is shown: title, date, instructions, and every message with who said it and when.

    Thoughts and instructions are quotes. Whatever a message leaves open, such as a code block that was cut, is closed,
    so that it swallows nothing of what follows; otherwise the text is the original. Without ``pictures`` these are
    told and not held, for who reads the text as it is.
    """
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark").disable("inline")  # what stays open is a matter of blocks alone
    session = whole.session
    blocks = [f"# {literal(title_of(session))}"]
    if begun := moment(session.created_at):
        blocks.append(f"*{begun}*")
    if session.system.strip():
        blocks.append(quoted(f"**System prompt**\n\n{session.system}"))
    for node in shown_branch(whole):
        blocks += _message(node, parser, pictures=pictures)
    return as_text("\n\n".join(blocks) + "\n")


def _message(node: Node, parser: MarkdownIt, *, pictures: bool) -> list[str]:
    blocks = [f"## {literal(speaker(node))}"]
    if written := moment(node.created_at):
        blocks.append(f"*{written}*")
    text = ""
    for part in node.message.parts:
        if isinstance(part, Text) and not part.name:
            text += part.text
            continue
        blocks += _said(text, parser)
        text = ""
        blocks.append(_other(part, parser, pictures=pictures))
    blocks += _said(text, parser)
    if how := ending(node):
        blocks.append(quoted(f"**{literal(how)}**"))
    return blocks


def _said(text: str, parser: MarkdownIt) -> list[str]:
    return [closed(text, parser)] if text.strip() else []


def _other(part: Part, parser: MarkdownIt, *, pictures: bool) -> str:
    match part:
        case Thinking():
            return quoted(f"**Thinking**\n\n{part.text}")
        case ToolCall():
            return f"**Tool call:** {literal(part.name)}\n\n{fenced(part.arguments, 'json')}"
        case ToolResult():
            return f"**{'Error from the tool' if part.is_error else 'Answer of the tool'}**\n\n{fenced(part.text)}"
        case Image():
            return _image(part, held=pictures)
        case Text():
            return closed(part.text, parser)  # a file that was attached: its fence stands in it


def _image(image: Image, *, held: bool) -> str:
    if image.url is not None:
        return f"**Image:** {literal(image.url)}"
    address = data_address(image) if held else None
    if address is None:
        name = f"{literal(image.name)}, " if image.name else ""
        return f"**Image:** {name}{len(image.data or b'')} bytes of {literal(image.media_type)}"
    return f"![{literal(image.name) or 'Image'}]({address})"


def closed(text: str, parser: MarkdownIt) -> str:
    """``text``, and after it what is needed to end whatever it leaves open; as a code block if nothing helps."""
    if _MAY_STAY_OPEN.search(text) is None:
        return text
    for _ in range(_MOST_CLOSINGS):
        tokens = parser.parse(f"{text}\n\n# {_AFTER}\n")
        if _ends_with_heading(tokens):
            return text
        end = _end_of(tokens)
        if end is None:
            break
        text += end
    return fenced(text)


def _ends_with_heading(tokens: list[Token]) -> bool:
    return (
        len(tokens) >= 3
        and tokens[-3].type == "heading_open"
        and tokens[-3].level == 0
        and tokens[-2].content == _AFTER
    )


def _end_of(tokens: list[Token]) -> str | None:
    last = tokens[-1] if tokens else None
    if last is None or last.level:
        return None
    if last.type == "fence":
        return f"\n{last.markup}"
    if last.type == "html_block":
        opening = last.content.lstrip().lower()
        return next((f"\n{end}" for start, end in _HTML_ENDS.items() if opening.startswith(start)), None)
    return None

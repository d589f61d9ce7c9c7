"""A conversation as one web page that stands by itself: no script, no font, no picture from anywhere."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from app.messages import Image, Node, Part, Text, Thinking, ToolCall, ToolResult
from app.vault.conversations.records import WholeSession

from .page_style import STYLE
from .shown import data_address, ending, moment, shown_branch, speaker, title_of

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.renderer import RendererHTML
    from markdown_it.token import Token
    from markdown_it.utils import EnvType, OptionsDict

_ADDRESS = re.compile(r"(https?://|mailto:)[^\s\x00-\x1f]+", re.IGNORECASE)

_LONGEST_RENDERED = 100_000
"""Characters of a text. Longer ones are shown as they are: made to be slow, a million would take minutes to render."""

_NOT_FOR_A_PAGE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
"""Characters that neither HTML nor XML may hold."""


def to_html(whole: WholeSession) -> str:
    """The branch that is shown, as HTML that is well-formed XML too.

    All text is escaped, Markdown is rendered with HTML in it switched off, and links lead to ``http``, ``https`` and
    ``mailto`` alone. The page's own policy forbids everything but its style, and pictures that lie within the page
    when the conversation has some.
    """
    parser = _parser()
    session = whole.session
    title = _escaped(title_of(session))
    articles = [_article(node, parser) for node in shown_branch(whole)]
    pictures = any('<img src="data:' in article for article in articles)
    policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    begun = moment(session.created_at)
    lines = [
        "<!DOCTYPE html>",
        '<html xmlns="http://www.w3.org/1999/xhtml">',
        "<head>",
        '<meta charset="utf-8" />',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}{"; img-src data:" if pictures else ""}" />',
        '<meta name="viewport" content="width=device-width, initial-scale=1" />',
        '<meta name="referrer" content="no-referrer" />',
        '<meta name="color-scheme" content="light dark" />',
        f"<title>{title}</title>",
        f"<style>{STYLE}</style>",
        "</head>",
        "<body>",
        "<header>",
        f'<h1 dir="auto">{title}</h1>',
        *([f"<p>{begun}</p>"] if begun else []),
        "</header>",
        "<main>",
        *([_folded("System prompt", _rendered(session.system, parser))] if session.system.strip() else []),
        *articles,
        "</main>",
        "</body>",
        "</html>",
    ]
    return "\n".join(lines) + "\n"


def _article(node: Node, parser: MarkdownIt) -> str:
    written = moment(node.created_at)
    blocks = [
        f'<article class="{node.message.role}">',
        f'<h2><span class="who">{_escaped(speaker(node))}</span>'
        + (f' <span class="when">{written}</span>' if written else "")
        + "</h2>",
    ]
    text = ""
    for part in node.message.parts:
        if isinstance(part, Text) and not part.name:
            text += part.text
            continue
        blocks += _said(text, parser)
        text = ""
        blocks.append(_other(part, parser))
    blocks += _said(text, parser)
    if how := ending(node):
        blocks.append(f'<p class="ending {node.status}">{_escaped(how)}</p>')
    return "\n".join([*blocks, "</article>"])


def _said(text: str, parser: MarkdownIt) -> list[str]:
    return [f'<div dir="auto">\n{_rendered(text, parser)}</div>'] if text.strip() else []


def _other(part: Part, parser: MarkdownIt) -> str:
    match part:
        case Thinking():
            return _folded("Thinking", _rendered(part.text, parser))
        case ToolCall():
            return _folded(f"Tool call: {part.name}", f"<pre><code>{_escaped(part.arguments)}</code></pre>")
        case ToolResult():
            title = "Error from the tool" if part.is_error else "Answer of the tool"
            return _folded(title, f"<pre><code>{_escaped(part.text)}</code></pre>")
        case Image():
            return _image(part)
        case Text():
            return _folded(f"File: {part.name}", _rendered(part.text, parser))


def _image(image: Image) -> str:
    if image.url is not None:
        return f'<p class="picture">Image: {_escaped(image.url)}</p>'
    address = data_address(image)
    if address is None:
        size = len(image.data or b"")
        return f'<p class="picture">Image: {size} bytes of {_escaped(image.media_type)}</p>'
    words = _escaped(image.name) or "Image"
    return f'<p class="picture"><img src="{address}" alt="{words}" /></p>'


def _folded(title: str, content: str) -> str:
    return f'<details>\n<summary>{_escaped(title)}</summary>\n<div dir="auto">\n{content}</div>\n</details>'


def _permitted(text: str) -> str:
    return _NOT_FOR_A_PAGE.sub("\ufffd", text)


def _escaped(text: str) -> str:
    return escape(_permitted(text))


def _rendered(text: str, parser: MarkdownIt) -> str:
    if len(text) > _LONGEST_RENDERED:
        return f"<pre>{_escaped(text)}</pre>\n"
    rendered: str = parser.render(_permitted(text))
    return rendered


def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False, "xhtmlOut": True}).enable(["table", "strikethrough"])
    parser.validateLink = _is_permitted_address  # type: ignore[method-assign,assignment]
    parser.add_render_rule("link_open", _link_open)
    parser.add_render_rule("image", _picture_by_name)
    return parser


def _is_permitted_address(address: str) -> bool:
    return _ADDRESS.fullmatch(address) is not None


def _link_open(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, environment: EnvType
) -> str:
    tokens[index].attrSet("rel", "noopener noreferrer nofollow")
    return self.renderToken(tokens, index, options, environment)


def _picture_by_name(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, environment: EnvType
) -> str:
    """A picture from elsewhere is named, not loaded: loading it would tell its owner who reads this, and when."""
    words = self.renderInlineAsText(tokens[index].children, options, environment)
    return f'<span class="picture">[{_escaped(words or "image")}: {_escaped(str(tokens[index].attrGet("src")))}]</span>'

"""What of a message goes to the clipboard."""

from __future__ import annotations

from app.messages import Node
from app.privacy.terminal import clean


def cleaned_text(node: Node) -> str:
    """The whole message as it was written, with control characters made visible: pasted into a shell they would act."""
    return clean(node.message.text)


def code_blocks(node: Node) -> tuple[str, ...]:
    """The text inside every code block, in order, without fences and indentation."""
    from markdown_it import MarkdownIt

    tokens = MarkdownIt("gfm-like").parse(cleaned_text(node))
    return tuple(token.content for token in tokens if token.type in ("fence", "code_block"))

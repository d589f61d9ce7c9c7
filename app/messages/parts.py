"""What a message is made of: text, thinking, images, tool calls and their results.

Parts are immutable values. Each carries a ``kind`` tag, so that a part keeps its type through JSON and MessagePack.
"""

from __future__ import annotations

from msgspec import Struct


class Text(Struct, frozen=True, gc=False, tag_field="kind", tag="text", omit_defaults=True):
    """Words, as Markdown or plain. With ``name`` they are a file of that name that was attached, fenced already."""

    text: str
    name: str = ""


class Thinking(Struct, frozen=True, gc=False, tag_field="kind", tag="thinking"):
    """What a model thought aloud before it answered.

    ``signature`` is the provider's proof of origin; it must be sent back unchanged where there is one.
    """

    text: str
    signature: str | None = None


class Image(Struct, frozen=True, gc=False, tag_field="kind", tag="image", omit_defaults=True):
    """A picture: either its bytes or the address of it, never both. ``name`` is the file's, where it was attached.

    Raises:
        ValueError: when both or neither of ``data`` and ``url`` are given.
    """

    media_type: str
    data: bytes | None = None
    url: str | None = None
    name: str = ""

    def __post_init__(self) -> None:
        if (self.data is None) == (self.url is None):
            raise ValueError("an Image has either data or a url")


class ToolCall(Struct, frozen=True, gc=False, tag_field="kind", tag="tool_call"):
    """A model asks for a tool to be run. ``arguments`` is JSON text, exactly as the model wrote it."""

    call_id: str
    name: str
    arguments: str


class ToolResult(Struct, frozen=True, gc=False, tag_field="kind", tag="tool_result"):
    """What a tool gave back for the call of the same ``call_id``."""

    call_id: str
    text: str
    is_error: bool = False


Part = Text | Thinking | Image | ToolCall | ToolResult
